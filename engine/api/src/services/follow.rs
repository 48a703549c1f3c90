//! What changes in a run, as it changes.

use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::Problem;
use crate::read;
use futures::stream::{self, Stream};
use hostler_core::id::RunId;
use hostler_core::view::LaneRow;
use hostler_ports::store::{FeedEntry, READ_MAX, Seq};
use serde::{Deserialize, Serialize};

/// How long one look waits for news; a beat without any is told, so that dead connections are found.
const LOOK_MS: u64 = 10_000;

/// A page with fewer entries is not a full one: what the run's end has told is before it.
const FEW: usize = READ_MAX / 5;

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "news")]
pub enum News {
    Lane {
        seq: u64,
        row: Box<LaneRow>,
    },
    /// Nothing has happened for a while.
    Beat {
        seq: u64,
    },
    /// The run has ended: nothing more comes.
    End {
        seq: u64,
        state: String,
    },
    /// The store does not answer; read the run again later.
    Lost {
        seq: u64,
        why: String,
    },
}

impl News {
    /// Go on after this one.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Self::Lane { seq, .. }
            | Self::Beat { seq }
            | Self::End { seq, .. }
            | Self::Lost { seq, .. } => *seq,
        }
    }
}

struct Place {
    api: Api,
    run: RunId,
    seq: Seq,
    over: bool,
}

/// Changes of a run after `seq`, until its end.
///
/// # Errors
/// `forbidden`, `not-found`, before anything is told.
pub async fn follow(
    api: &Api,
    subject: &Subject,
    run: RunId,
    seq: u64,
) -> Result<impl Stream<Item = News> + Send + use<>, Problem> {
    authorize(subject, Action::ReadRuns, Resource::Realm).check(subject)?;
    read::run(api, run).await?;
    let place = Place {
        api: api.clone(),
        run,
        seq: Seq(seq),
        over: false,
    };
    Ok(futures::StreamExt::flat_map(
        stream::unfold(place, look),
        stream::iter,
    ))
}

/// One look: what came of it, and where the next begins.
async fn look(mut place: Place) -> Option<(Vec<News>, Place)> {
    if place.over {
        return None;
    }
    // Looked at before the feed: an end between the two is found by the next look.
    let state = match ended(&place).await {
        Ok(state) => state,
        Err(fault) => return Some(lost(place, &fault)),
    };
    let wait_ms = if state.is_some() { 0 } else { LOOK_MS };
    let entries = match place.api.store.feed(place.seq, wait_ms).await {
        Ok(entries) => entries,
        Err(fault) => return Some(lost(place, &fault.into())),
    };
    let few = entries.len() < FEW;
    place.seq = entries.last().map_or(place.seq, |entry| entry.seq);
    let mut news: Vec<News> = entries
        .iter()
        .filter(|entry| entry.run == place.run)
        .filter_map(lane)
        .collect();
    match state {
        Some(state) if few && news.is_empty() => {
            place.over = true;
            news.push(News::End {
                seq: place.seq.0,
                state,
            });
        }
        _ if news.is_empty() => news.push(News::Beat { seq: place.seq.0 }),
        _ => {}
    }
    Some((news, place))
}

/// None for what is no lane of steps: messages on their way are lanes too.
fn lane(entry: &FeedEntry) -> Option<News> {
    let row = serde_json::from_str(&entry.summary).ok()?;
    Some(News::Lane {
        seq: entry.seq.0,
        row,
    })
}

fn lost(mut place: Place, fault: &Problem) -> (Vec<News>, Place) {
    place.over = true;
    (
        vec![News::Lost {
            seq: place.seq.0,
            why: fault.to_string(),
        }],
        place,
    )
}

async fn ended(place: &Place) -> Result<Option<String>, Problem> {
    let row = read::run(&place.api, place.run).await?;
    Ok(row.ended_ms.map(|_| row.state))
}
