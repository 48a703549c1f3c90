//! A letter that puts turns off: what must be known of it, and what the commit writes with it.
//!
//! What counts against the customer and whether a lane has begun are expectations of that commit: of two deferrals
//! against the last one that is left exactly one counts. Not here: what is legal (core).

use crate::turn::Turn;
use crate::{Driver, Trouble};
use hostler_core::command::{Command, Input};
use hostler_core::deferral::{
    DeferAsk, Deferral, Known, Scope, Turn as OfTurn, deferrals_document, turn_document,
};
use hostler_core::definition::Definition;
use hostler_core::event::Event;
use hostler_core::lane::Lane;
use hostler_core::refusal::Refusal;
use hostler_ports::store::{Document, DocumentWrite, Expect, Post, StoreError};
use serde_json::json;

/// Place of what was announced among the documents that are read.
const ANNOUNCED: usize = 1;

/// What was read, and what of it must still be so.
struct Read {
    known: Known,
    expect: Vec<Expect>,
}

impl Driver {
    /// Decides one deferral. Inside: why it is refused.
    pub(crate) async fn defer(
        &self,
        turn: &mut Turn,
        definition: &Definition,
        ask: Box<DeferAsk>,
        at_ms: i64,
    ) -> Result<Result<(), Refusal>, Trouble> {
        let items = self.items(&turn.lane).await?;
        let scope = match Scope::of(&turn.lane, definition, &items, &ask) {
            Ok(scope) => scope,
            Err(why) => return Ok(Err(why.into())),
        };
        let read = self.known(&turn.lane, &scope, &ask, at_ms).await?;
        let (known, before) = (Box::new(read.known.clone()), turn.events.len());
        let input = Input::Defer { ask, known };
        let settle_ms = self.parts.settings.settle_ms;
        if let Err(refusal) = turn.decide(definition, &items, settle_ms, input, at_ms) {
            return Ok(Err(refusal));
        }
        let deferral = turn.events[before..]
            .iter()
            .find_map(|recorded| match &recorded.event {
                Event::TurnsPutOff { deferral } => Some(deferral.clone()),
                _ => None,
            });
        if let Some(deferral) = deferral {
            write(turn, &scope, &deferral, read, at_ms);
        }
        Ok(Ok(()))
    }

    /// As it is now: a deferral is rare, and what is remembered may be old.
    async fn known(
        &self,
        lane: &Lane,
        scope: &Scope,
        ask: &DeferAsk,
        at_ms: i64,
    ) -> Result<Read, Trouble> {
        let keys = scope.documents(lane, &ask.customer);
        let found = self.parts.store.documents(&keys).await?;
        let version = |found: &Option<Document>| found.as_ref().map_or(0, |found| found.version);
        let expect = keys.into_iter().zip(&found).enumerate();
        // What was announced may be told anew meanwhile: the slot was so when it was asked.
        let expect = expect.filter(|(place, _)| *place != ANNOUNCED);
        let expect = expect.map(|(_, (document, found))| Expect {
            document,
            version: version(found),
        });
        let expect = expect.collect();
        let bodies = found
            .into_iter()
            .map(|found| found.and_then(|found| found.body));
        let bodies: Vec<Option<String>> = bodies.collect();
        let known = Known::read(scope, &bodies)
            .map_err(|fault| StoreError::Corrupt(format!("documents of deferrals: {fault}")))?;
        let known = known.under(scope, &*self.parts.directory, &ask.customer, at_ms);
        Ok(Read { known, expect })
    }
}

/// The count, the turns of lanes that live, and a ring for each of these.
fn write(turn: &mut Turn, scope: &Scope, deferral: &Deferral, read: Read, at_ms: i64) {
    let run = turn.lane.opening.run;
    let counts = read.known.counts.with(run, deferral, at_ms);
    turn.expect.extend(read.expect);
    turn.writes.push(DocumentWrite {
        key: deferrals_document(&deferral.customer),
        body: Some(json!(counts).to_string()),
    });
    let live = |index: u32| scope.live().find(|item| item.index == index)?.live;
    for turned in &deferral.turns {
        let Some(lane) = live(turned.index) else {
            continue;
        };
        let put_off = Some(deferral.of(turned));
        let kept = read.known.turns.get(&turned.asset);
        let next = OfTurn {
            put_off,
            ..kept.cloned().unwrap_or_default()
        };
        turn.writes.push(DocumentWrite {
            key: turn_document(run, &scope.template, &turned.asset),
            body: Some(json!(next).to_string()),
        });
        let name = "deferral".to_owned();
        turn.posts.push(Post {
            lane,
            command: turn.lane.id().command(&turned.key, turn.lane.version),
            body: json!(Command::Timer { name }).to_string(),
        });
    }
}
