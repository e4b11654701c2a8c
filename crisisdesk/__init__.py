"""The rapid-reaction desk: from the public stream to sentiment, spike, the person on call and the playbook."""

__version__ = "0.1.0"
