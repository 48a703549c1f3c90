//! News as server-sent events (for pages) or as JSON lines (for programs).

use crate::services::follow::News;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::Response;
use futures::{Stream, StreamExt};
use std::convert::Infallible;

/// `id` is the place from which `Last-Event-ID` goes on.
pub fn events(news: impl Stream<Item = News> + Send + 'static) -> Response {
    let event = |news: News| match &news {
        News::Beat { .. } => ": beat\n\n".to_owned(),
        _ => format!(
            "id: {}\nevent: {}\ndata: {}\n\n",
            news.seq(),
            kind(&news),
            text(&news)
        ),
    };
    body("text/event-stream", news.map(event))
}

pub fn lines(news: impl Stream<Item = News> + Send + 'static) -> Response {
    body(
        "application/x-ndjson",
        news.map(|news| format!("{}\n", text(&news))),
    )
}

fn kind(news: &News) -> &'static str {
    match news {
        News::Lane { .. } => "lane",
        News::Beat { .. } => "beat",
        News::End { .. } => "end",
        News::Lost { .. } => "lost",
    }
}

fn text(news: &News) -> String {
    // Plain data with string keys always serialises.
    serde_json::to_string(news).unwrap_or_default()
}

fn body(kind: &'static str, lines: impl Stream<Item = String> + Send + 'static) -> Response {
    let bytes = lines.map(|line| Ok::<_, Infallible>(Bytes::from(line)));
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}
