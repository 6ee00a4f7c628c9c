//! Server-sent events on their way through.
//!
//! Owns finding the events in a stream and changing the messages in them. Never holds back more than one event.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};

use super::edit::Edit;
use crate::body::{Body, BodyError};

/// The longest event that is held back to be read.
const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;

/// A stream of events with changes applied.
pub(crate) struct EditedEvents {
    inner: Body,
    edit: Edit,
    waiting: BytesMut,
    /// How much of `waiting` was searched for an end.
    searched: usize,
    ended: bool,
}

impl EditedEvents {
    pub(crate) fn new(inner: Body, edit: Edit) -> Self {
        Self {
            inner,
            edit,
            waiting: BytesMut::new(),
            searched: 0,
            ended: false,
        }
    }

    fn next_event(&mut self) -> Option<Bytes> {
        match end_of_event(&self.waiting, self.searched) {
            Ok(end) => {
                self.searched = 0;
                Some(self.waiting.split_to(end).freeze())
            }
            Err(line_start) => {
                self.searched = line_start;
                None
            }
        }
    }
}

impl http_body::Body for EditedEvents {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(event) = self.next_event() {
                return Poll::Ready(Some(Ok(Frame::data(changed(&self.edit, event)))));
            }
            if self.ended {
                let rest = self.waiting.split().freeze();
                let frame = (!rest.is_empty()).then(|| Ok(Frame::data(changed(&self.edit, rest))));
                return Poll::Ready(frame);
            }
            if self.waiting.len() > MAX_EVENT_BYTES {
                return Poll::Ready(Some(Err("an event is too long to be read".into())));
            }
            match std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.waiting.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.ended = true,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.waiting.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Where the first event ends, or from which line start to search when there is more. Lines end with LF, CRLF or CR.
fn end_of_event(text: &[u8], from: usize) -> Result<usize, usize> {
    let mut line_start = from;
    let mut at = from;
    while let Some(byte) = text.get(at) {
        let end = match byte {
            b'\n' => at + 1,
            b'\r' => match text.get(at + 1) {
                Some(b'\n') => at + 2,
                Some(_) => at + 1,
                // The LF of a CRLF may still come.
                None => return Err(line_start),
            },
            _ => {
                at += 1;
                continue;
            }
        };
        if at == line_start {
            return Ok(end);
        }
        line_start = end;
        at = end;
    }
    Err(line_start)
}

/// The event with its message changed. An event that we cannot read goes on as it is: only what the caller may see of
/// a well-formed list is hidden, calls are decided elsewhere.
fn changed(edit: &Edit, event: Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(&event) else {
        return event;
    };
    let mut data = String::new();
    let mut others = String::new();
    for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        match line.strip_prefix("data:") {
            Some(value) => {
                if !data.is_empty() {
                    data.push('\n');
                }
                data.push_str(value.strip_prefix(' ').unwrap_or(value));
            }
            None => {
                others.push_str(line);
                others.push('\n');
            }
        }
    }
    if data.is_empty() {
        return event;
    }
    let Ok(Some(message)) = edit.message(data.as_bytes()) else {
        return event;
    };
    let mut out = others.into_bytes();
    for line in message.split(|b| matches!(b, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    async fn through(chunks: &[&str]) -> String {
        let frames: Vec<Result<Frame<Bytes>, BodyError>> = chunks
            .iter()
            .map(|chunk| Ok(Frame::data(Bytes::from((*chunk).to_owned()))))
            .collect();
        let inner = Body::new(StreamBody::new(futures_util::stream::iter(frames)));
        let edit = Edit {
            tools: Some(Box::new(|name| name == "a")),
            ..Edit::default()
        };
        let out = EditedEvents::new(inner, edit).collect().await.unwrap().to_bytes();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_list_split_anywhere_is_filtered_and_other_events_stay_byte_for_byte() {
        let stream = "id: 1\nretry: 3\n\n: comment\r\n\r\nevent: message\rdata: {\"id\":1,\rdata:\"result\":{\"tools\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}\r\rdata: {\"method\":\"x\"}\n\n";
        let expected = "id: 1\nretry: 3\n\n: comment\r\n\r\nevent: message\ndata: {\"id\":1,\"result\":{\"tools\":[{\"name\":\"a\"}]}}\n\ndata: {\"method\":\"x\"}\n\n";
        for cut in 1..stream.len() {
            let (first, second) = stream.split_at(cut);
            assert_eq!(through(&[first, second]).await, expected, "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn an_unfinished_last_event_is_filtered_too() {
        let out = through(&["data: {\"result\":{\"tools\":[{\"name\":\"b\"}]}}"]).await;
        assert_eq!(out, "data: {\"result\":{\"tools\":[]}}\n\n");
    }
}
