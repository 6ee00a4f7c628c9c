//! Answers from memory: a [`Fetch`] that counts, and names that resolve as told.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;

use http::{HeaderMap, HeaderValue, StatusCode};
use lanyard_fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse, Lookup, LookupFuture};

type Answer = Box<dyn Fn(&str) -> Result<FetchResponse, FetchError> + Send + Sync>;

/// Answers by URL, after giving others a turn. A URL with `never` in it is not answered at all.
pub(crate) struct Memory {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<String>>,
}

impl Memory {
    pub(crate) fn new(answer: impl Fn(&str) -> Result<FetchResponse, FetchError> + Send + Sync + 'static) -> Self {
        Self {
            answer: Mutex::new(Box::new(answer)),
            asked: Mutex::default(),
        }
    }

    pub(crate) fn now(&self, answer: impl Fn(&str) -> Result<FetchResponse, FetchError> + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Fetch for Memory {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        Box::pin(async move {
            let url = request.url.to_string();
            self.asked.lock().unwrap().push(url.clone());
            tokio::task::yield_now().await;
            if url.contains("never") {
                std::future::pending::<()>().await;
            }
            (self.answer.lock().unwrap())(&url)
        })
    }
}

pub(crate) fn response(status: u16, kind: &'static str, body: &str) -> FetchResponse {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    FetchResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.to_owned().into(),
    }
}

pub(crate) fn json(body: &str) -> FetchResponse {
    response(200, "application/json", body)
}

/// Gives one prepared answer after the other, and the last one for ever.
pub(crate) struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

impl Names {
    pub(crate) fn new(answers: &[&[&str]]) -> Self {
        let answers = answers
            .iter()
            .map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect());
        Self(Mutex::new(answers.collect()))
    }
}

impl Lookup for Names {
    fn lookup(&self, _: &str) -> LookupFuture {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}
