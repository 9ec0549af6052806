"""The stories of `tests.resume.stories`, one by one."""

import pytest

from tests.resume.play import play
from tests.resume.stories import STORIES


@pytest.mark.parametrize("name", STORIES)
def test_a_story_that_once_went_wrong(name: str) -> None:
    play(STORIES[name])
