"""Every public method of pyopenvidu against a running server, with what it must answer.

client.py URL SECRET SESSION PUBLISHER STREAM VIEWER: in the session two pages talk, PUBLISHER's stream is seen by VIEWER.
"""
import sys
import warnings

import pyopenvidu
import requests
from pyopenvidu import OpenVidu

warnings.filterwarnings("ignore")  # the certificate is nobody's


def equal(what, got, want):
    if got != want:
        raise AssertionError(f"{what} is {got!r}, want {want!r}")


def refused(what, error, call):
    try:
        call()
    except error:
        return
    raise AssertionError(f"{what} was not refused")


def connect(url, secret):
    return OpenVidu(url + "openvidu/api/", secret, verify=False, timeout=10)


def sessions(url, secret):
    openvidu = connect(url, secret)
    before = openvidu.session_count
    session = openvidu.create_session("python", "ROUTED")
    equal("id", session.id, "python")
    equal("media mode", session.media_mode, "ROUTED")
    equal("recorded", session.is_being_recorded, False)
    equal("valid", session.is_valid, True)
    refused("the same again", pyopenvidu.OpenViduSessionExistsError, lambda: openvidu.create_session("python"))
    refused("a bad id", ValueError, lambda: openvidu.create_session("no good"))
    equal("fetch", session.fetch(), False)
    equal("count", openvidu.session_count, before + 1)

    watcher = connect(url, secret)
    equal("nothing new", watcher.fetch(), False)
    equal("by id", watcher.get_session("python").id, "python")
    equal("listed", "python" in [s.id for s in watcher.sessions], True)
    session.close()
    equal("valid", session.is_valid, False)
    equal("something new", watcher.fetch(), True)
    refused("by id", pyopenvidu.OpenViduSessionDoesNotExistsError, lambda: watcher.get_session("python"))
    refused("closed twice", pyopenvidu.OpenViduSessionDoesNotExistsError, session.close)
    refused("fetch of a closed one", pyopenvidu.OpenViduSessionDoesNotExistsError, session.fetch)
    refused("signal to a closed one", pyopenvidu.OpenViduSessionDoesNotExistsError, lambda: session.signal("x"))
    refused("a wrong secret", requests.HTTPError, lambda: connect(url, "wrong"))
    equal("config", openvidu.get_config()["OPENVIDU_STREAMS_ALLOW_TRANSCODING"], False)


def connections(url, secret):
    session = connect(url, secret).create_session()
    made = session.create_webrtc_connection("MODERATOR", "from the app", video_max_recv_bandwidth=500, allowed_filters=["GStreamerFilter"])
    equal("type", made.type, "WEBRTC")
    equal("role", made.role, "MODERATOR")
    equal("data", made.server_data, "from the app")
    equal("limit", made.kurento_options["videoMaxRecvBandwidth"], 500)
    equal("session", made.session_id, session.id)
    equal("active", made.active_at, None)
    equal("token", f"sessionId={session.id}&token=tok_" in made.token, True)
    equal("publishers", (made.publishers, made.publisher_count), ([], 0))
    equal("subscribers", (made.subscribers, made.subscriber_count), ([], 0))
    equal("fetch", made.fetch(), False)
    session.fetch()
    equal("by id", session.get_connection(made.id).token, made.token)
    equal("count", session.connection_count, 1)
    refused("nobody", pyopenvidu.OpenViduConnectionDoesNotExistsError, lambda: session.get_connection("con_nobody"))
    made.force_disconnect()
    refused("disconnected twice", pyopenvidu.OpenViduConnectionDoesNotExistsError, made.force_disconnect)
    equal("plain", session.create_webrtc_connection().role, "PUBLISHER")
    session.close()


def live(url, secret, session_id, publisher, stream, viewer):
    session = connect(url, secret).get_session(session_id)
    source, sink = session.get_connection(publisher), session.get_connection(viewer)
    equal("connections", session.connection_count, 2)
    equal("platform", "Chrome" in source.platform, True)
    equal("client data", source.client_data, '{"who":0}')
    equal("active", source.active_at >= source.created_at, True)
    equal("streams", [p.stream_id for p in source.publishers], [stream])
    equal("media", (source.publishers[0].media_options["hasAudio"], source.publishers[0].media_options["typeOfVideo"]), (True, "CUSTOM"))
    equal("subscribers", [(s.stream_id) for s in sink.subscribers], [stream])

    session.signal("chat", "to all")
    session.signal("chat", "to one", [sink])
    sink.signal("chat", "to it")
    source.force_unpublish_all_streams()
    refused("unpublished twice", pyopenvidu.OpenViduStreamDoesNotExistsError, source.force_unpublish_all_streams)
    equal("fetch", session.fetch(), True)
    equal("streams after", session.get_connection(publisher).publishers, [])
    sink.force_disconnect()
    refused("signal to who is gone", pyopenvidu.OpenViduConnectionDoesNotExistsError, lambda: session.signal("chat", "late", [sink]))
    connect(url, secret).get_session(session_id).close()


if __name__ == "__main__":
    url, secret, *call = sys.argv[1:]
    sessions(url, secret)
    connections(url, secret)
    live(url, secret, *call)
    print("done")
