//! How announced work goes, for one customer: which of its servers are done, which are worked on, which wait and for
//! what. Of others nothing is said but that they come first.
//!
//! Not here: when it is told (core), and the words (templates).

use super::Notice;
use super::context::local;
use super::prospect::ASSETS_MAX;
use crate::scope::{View, instant_text};
use crate::{Driver, Trouble};
use hostler_core::event::Stage;
use hostler_core::lane::{Children, Item, Lane, Live, Phase};
use serde_json::{Value, json};

/// Where one server is.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Ended,
    GoesOn,
    /// For what, in words.
    Waits(String),
}

/// Who reads it, and when.
struct Reader<'a> {
    now_ms: i64,
    zone: &'a str,
}

impl Reader<'_> {
    /// An instant that is still to come.
    fn ahead(&self, at_ms: Option<i64>) -> Option<String> {
        let at_ms = at_ms.filter(|at_ms| *at_ms > self.now_ms)?;
        Some(local(at_ms, self.zone))
    }

    fn standing(&self, lane: &Lane, children: &Children, index: u32, key: &str) -> Standing {
        if let Some(live) = children.live.get(key) {
            return self.admitted(live);
        }
        let again = children.again.contains(&index);
        let passed = children.passed.contains(&index);
        if index < children.next && !again && !passed {
            return Standing::Ended;
        }
        Standing::Waits(match self.all_wait_for(lane, children) {
            Some(why) => why,
            None if again => "another attempt".to_owned(),
            None if passed => "another server, beside which it is not worked on".to_owned(),
            None => self.turn(children, index),
        })
    }

    fn admitted(&self, live: &Live) -> Standing {
        match self.ahead(live.held_ms) {
            _ if live.began => Standing::GoesOn,
            Some(at) => Standing::Waits(format!("the time from which it may be worked on: {at}")),
            None => Standing::Waits("the checks before its turn".to_owned()),
        }
    }

    /// What holds everything that has not begun.
    fn all_wait_for(&self, lane: &Lane, children: &Children) -> Option<String> {
        let why = match &lane.phase {
            _ if lane.is_stopping() => "the end: the work is being stopped",
            _ if lane.paused => "the work to go on: it is paused",
            Phase::Person(_) => "people, who decide whether the work goes on",
            _ if children.stopped.is_some() => "a decision whether the work goes on",
            _ => return None,
        };
        Some(why.to_owned())
    }

    /// What is between it and its turn when nothing has gone wrong.
    fn turn(&self, children: &Children, index: u32) -> String {
        let waves = children.waves.iter();
        let mut of = waves.filter(|wave| wave.from <= index && index < wave.to);
        let opens = of.next().and_then(|wave| self.ahead(wave.opens_ms));
        match (opens, self.ahead(children.soak_until_ms)) {
            (Some(at), _) => format!("its day: it comes not before {at}"),
            (None, Some(at)) => format!("those before it, which are watched until {at}"),
            (None, None) => "those before it".to_owned(),
        }
    }
}

impl Driver {
    /// `{ ended, going_on, waiting, next_local, next_utc }`; empty for a notice of another stage.
    pub(super) async fn progress(
        &self,
        view: &View<'_>,
        notice: &Notice<'_>,
        zone: &str,
    ) -> Result<Value, Trouble> {
        let (mut ended, mut going_on, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for (item, standing) in self.standings(view, notice, zone).await? {
            let name = name_of(view, &item);
            match standing {
                Standing::Ended => ended.push(item.clone()),
                Standing::GoesOn => going_on.push(json!({ "id": item, "name": name })),
                Standing::Waits(what) => {
                    waiting.push(json!({ "id": item, "name": name, "waits_for": what }));
                }
            }
        }
        let told = notice.stage == Stage::Progress;
        let next_ms = notice.rolling.filter(|_| told).and_then(|it| it.next_ms);
        Ok(json!({
            "ended": self.ended(view, &ended).await?,
            "going_on": going_on,
            "waiting": waiting,
            "next_local": next_ms.map_or_else(String::new, |at_ms| local(at_ms, zone)),
            "next_utc": next_ms.map_or_else(String::new, instant_text),
        }))
    }

    /// The customer's items in the order of the list; none for a notice of another stage.
    async fn standings(
        &self,
        view: &View<'_>,
        notice: &Notice<'_>,
        zone: &str,
    ) -> Result<Vec<(String, Standing)>, Trouble> {
        let (Stage::Progress, Some(children)) = (notice.stage, view.lane.children.as_deref())
        else {
            return Ok(Vec::new());
        };
        let now_ms = view.now_ms;
        let reader = Reader { now_ms, zone };
        let items = self.items(view.lane).await?;
        let theirs = |(_, item): &(u32, &Item)| item.group("customer") == Some(notice.customer);
        let standing = |(index, item): (u32, &Item)| {
            let standing = reader.standing(view.lane, children, index, &item.key);
            (item.key.clone(), standing)
        };
        let theirs = (0..).zip(items.iter()).filter(theirs).take(ASSETS_MAX);
        Ok(theirs.map(standing).collect())
    }

    /// With what became of them.
    async fn ended(&self, view: &View<'_>, keys: &[String]) -> Result<Vec<Value>, Trouble> {
        let results = self.records_of(view, keys).await?;
        let named = results
            .into_iter()
            .map(|(id, result)| json!({ "id": id, "name": name_of(view, &id), "result": result }));
        Ok(named.collect())
    }
}

fn name_of<'a>(view: &'a View<'_>, id: &'a str) -> &'a str {
    let asset = view.plan.assets.get(id);
    asset
        .and_then(|asset| asset.get("name")?.as_str())
        .unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_core::id::{Digest, LaneId, RunId};
    use hostler_core::lane::{ChildrenKind, Opening, WaveRange};

    const HOUR_MS: i64 = 3_600_000;
    const READER: Reader<'static> = Reader {
        now_ms: HOUR_MS,
        zone: "UTC",
    };

    fn lane() -> Lane {
        let digest = Digest::of(b"any");
        let mut lane = Lane::open(Opening::root(RunId(Default::default()), digest, digest), 0);
        lane.phase = Phase::Children;
        lane
    }

    fn live(index: u32, began: bool, held_ms: Option<i64>) -> Live {
        Live {
            lane: LaneId(Default::default()),
            index,
            iteration: 0,
            groups: Vec::new(),
            began,
            held_ms,
        }
    }

    /// `a` has ended, `b` to `d` are admitted, `e` was passed over, `f` and `g` come later.
    fn children() -> Children {
        let wave = |from, to, opens_ms| WaveRange {
            name: "rest".to_owned(),
            from,
            to,
            soak_ms: 0,
            opens_ms,
            counts_windows: false,
        };
        let mut children = Children::new(ChildrenKind::Each, 0);
        children.total = 7;
        children.waves = vec![wave(0, 6, None), wave(6, 7, Some(26 * HOUR_MS))];
        (children.next, children.passed) = (5, vec![4]);
        for (key, live) in [
            ("b", live(1, true, Some(9 * HOUR_MS))),
            ("c", live(2, false, Some(2 * HOUR_MS))),
            ("d", live(3, false, None)),
        ] {
            children.live.insert(key.to_owned(), live);
        }
        children
    }

    fn waits(lane: &Lane, children: &Children, index: u32, key: &str) -> String {
        match READER.standing(lane, children, index, key) {
            Standing::Waits(what) => what,
            other => panic!("{key}: {other:?}"),
        }
    }

    #[test]
    fn each_server_is_done_worked_on_or_waits_for_something_that_is_named() {
        let (lane, mut children) = (lane(), children());
        let standing = |index, key| READER.standing(&lane, &children, index, key);
        assert_eq!(standing(0, "a"), Standing::Ended);
        assert_eq!(standing(1, "b"), Standing::GoesOn);
        assert!(waits(&lane, &children, 2, "c").contains("1 January 1970 02:00"));
        assert!(waits(&lane, &children, 3, "d").contains("checks"));
        assert!(waits(&lane, &children, 4, "e").contains("another server"));
        assert_eq!(waits(&lane, &children, 5, "f"), "those before it");
        assert!(waits(&lane, &children, 6, "g").contains("2 January 1970 02:00"));
        children.soak_until_ms = Some(3 * HOUR_MS);
        assert!(waits(&lane, &children, 5, "f").contains("until Thursday 1 January 1970 03:00"));
        children.again = vec![0];
        assert_eq!(waits(&lane, &children, 0, "a"), "another attempt");
    }

    #[test]
    fn what_holds_all_of_it_is_said_of_whatever_has_not_begun() {
        let (mut lane, mut children) = (lane(), children());
        children.stopped = Some("3 failed of redundancy_group=other-web".to_owned());
        let why = waits(&lane, &children, 5, "f");
        assert_eq!(
            why, "a decision whether the work goes on",
            "no other's group"
        );
        lane.paused = true;
        assert!(waits(&lane, &children, 4, "e").contains("paused"));
        let begun = READER.standing(&lane, &children, 1, "b");
        assert_eq!(begun, Standing::GoesOn);
    }
}
