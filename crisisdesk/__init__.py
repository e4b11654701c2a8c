"""The rapid-reaction desk: from the public stream to sentiment, to the spike, to the person on call, to the playbook."""

__version__ = "0.1.0"
