"""What the app does while nobody asks for anything: Gradio's queues look for work, and each look costs processor time."""

from __future__ import annotations

from unittest import mock

import gradio.queueing
import gradio.routes
import pytest
from starlette.routing import Mount

from app import QUEUE_SECONDS, UNUSED_QUEUE_SECONDS, Settings, build_app
from tests.coroutines import finished


class _EnoughError(Exception):
    pass


@pytest.fixture(scope="module")
def queues(tmp_path_factory):
    app = build_app(Settings(data_dir=tmp_path_factory.mktemp("data")), compute=mock.Mock())
    mounts = [route for route in app.routes if isinstance(route, Mount) and isinstance(route.app, gradio.routes.App)]
    return {mount.path: mount.app.get_blocks()._queue for mount in mounts}


@pytest.mark.parametrize(("path", "seconds"), [("", QUEUE_SECONDS), ("/rate", UNUSED_QUEUE_SECONDS)])
def test_an_empty_queue_is_left_alone_for_a_while(queues, path, seconds):
    sleep = mock.AsyncMock(side_effect=_EnoughError)
    with mock.patch.object(gradio.queueing.asyncio, "sleep", sleep), pytest.raises(_EnoughError):
        finished(queues[path].start_processing())
    sleep.assert_awaited_once_with(seconds)
