//! The store: its state, the decision about a loss, and a copy as a stream of bytes.

use super::asked::{Asked, ok};
use crate::problem::Problem;
use crate::services::store;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::stream;
use hostler_ports::store::copy::Copying;
use std::io;
use tokio::sync::mpsc;

/// Frames that wait for a slow reader.
const FRAMES_AHEAD: usize = 4;

pub async fn show(asked: Asked) -> Result<Response, Problem> {
    ok(&store::show(&asked.api, asked.subject()?).await?)
}

pub async fn accept_regression(asked: Asked) -> Result<Response, Problem> {
    let (ask, key) = (asked.json()?, asked.key.as_deref());
    ok(&store::accept_regression(&asked.api, asked.subject()?, ask, key).await?)
}

/// Ends early when something cannot be read: what the reader has then is not whole, and says so.
pub async fn copy(asked: Asked) -> Result<Response, Problem> {
    let copying = store::copy(&asked.api, asked.subject()?).await?;
    let (sender, receiver) = mpsc::channel(FRAMES_AHEAD);
    tokio::task::spawn_blocking(move || send(copying, &sender));
    let frames = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|frame| (frame, receiver))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    let never = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, never);
    Ok(response)
}

fn send(mut copying: Copying, to: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let frame = match copying.frame() {
            Ok(Some(frame)) => Ok(Bytes::from(frame)),
            Ok(None) => return,
            Err(fault) => {
                tracing::error!(%fault, "the copy was given up");
                Err(io::Error::other("the copy was given up"))
            }
        };
        let failed = frame.is_err();
        // A reader that has gone away wants no more.
        if to.blocking_send(frame).is_err() || failed {
            return;
        }
    }
}
