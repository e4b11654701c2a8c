"""100,000 damaged lines of files, and rotations without number; a short run of both is in the unit tests."""

import pytest
from fuzz_files import fuzz
from rotations import rotated_at_random


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_damaged_lines_do_no_harm(tmp_path):
    posts, bad = fuzz(100_000, tmp_path)
    print(f"100,000 damaged lines: {posts:,} were posts all the same, {bad:,} were told as bad")


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_every_post_is_heard_once_however_the_file_is_rotated_and_the_desk_killed(tmp_path):
    for seed in range(5_000):
        folder = tmp_path / str(seed)
        folder.mkdir()
        rotated_at_random(folder, seed)
