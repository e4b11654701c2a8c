"""What remains of a crisis: pictures of a back-test."""
