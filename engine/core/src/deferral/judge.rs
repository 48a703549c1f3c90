//! Whether a turn can be put off: read by the door that is asked, and decided by the lane that announces.
//!
//! Not here: reading what is known (worker, doors), and who may ask.

use super::{
    Agreed, Counts, DeferAsk, Deferral, EMERGENCY, NotPutOff, Turn, Turned, deferrals_document,
    turn_document,
};
use crate::budget::length;
use crate::definition::{Definition, ProgramIndex};
use crate::directory::Directory;
use crate::id::LaneId;
use crate::lane::{Children, ChildrenKind, Item, Lane};
use crate::mail::{Announced, announced_document};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// An item that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    pub index: u32,
    pub key: String,
    pub asset: String,
    /// Its lane, where it has one.
    pub live: Option<LaneId>,
}

/// What is announced by a lane now and is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub template: String,
    /// The runbook's own bound: so long before the slot.
    pub until_ms: u64,
    /// Of all that disturbs behind the step.
    pub classes: Vec<String>,
    pub items: Vec<Meant>,
}

/// What was read for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// By class; whoever is missing here: nothing was agreed.
    pub agreed: BTreeMap<String, Agreed>,
    pub counts: Counts,
    /// What the customer was told last.
    pub announced: Announced,
    /// Turns of live items by asset.
    pub turns: BTreeMap<String, Turn>,
}

impl Known {
    /// From the bodies of the documents of [`Scope::documents`], in their order; none where one is not there.
    ///
    /// # Errors
    /// When one of them is not what this product writes.
    pub fn read(scope: &Scope, bodies: &[Option<String>]) -> Result<Self, serde_json::Error> {
        let body = |place: usize| bodies.get(place).and_then(Option::as_deref);
        let mut known = Self {
            counts: value(body(0))?.unwrap_or_default(),
            announced: value(body(1))?.unwrap_or_default(),
            ..Self::default()
        };
        for (item, place) in scope.live().zip(2..) {
            let turn: Option<Turn> = value(body(place))?;
            known
                .turns
                .extend(turn.map(|turn| (item.asset.clone(), turn)));
        }
        Ok(known)
    }

    /// With what the policies say at this instant.
    #[must_use]
    pub fn under(
        mut self,
        scope: &Scope,
        directory: &dyn Directory,
        customer: &str,
        at_ms: i64,
    ) -> Self {
        let agreed = scope.classes.iter().filter_map(|class| {
            let agreed = directory.deferral(customer, class, at_ms)?;
            Some((class.clone(), agreed))
        });
        self.agreed = agreed.collect();
        self
    }
}

fn value<T: DeserializeOwned>(body: Option<&str>) -> Result<Option<T>, serde_json::Error> {
    body.map(serde_json::from_str).transpose()
}

/// The classes of what disturbs behind a step, as far as they are the same for all servers; else the runbook's.
fn classes(definition: &Definition, body: ProgramIndex) -> Vec<String> {
    let outages = definition.outages(body).into_iter();
    let found: BTreeSet<String> = outages
        .map(|step| definition.class_of(step).to_owned())
        .collect();
    found.into_iter().collect()
}

/// What the notices of a runbook let customers put off: so long before the slot, in milliseconds, and the classes of
/// what disturbs behind them. Steps behind which nothing disturbs have no place here.
#[must_use]
pub fn granted(definition: &Definition) -> Vec<(u64, Vec<String>)> {
    let steps = definition.programs.iter().flat_map(|it| &it.steps);
    let grants = steps.filter_map(|step| {
        let until_ms = step.notices.as_ref()?.defer_until_ms?;
        Some((until_ms, classes(definition, step.body()?)))
    });
    grants.filter(|(_, classes)| !classes.is_empty()).collect()
}

impl Scope {
    /// # Errors
    /// `NotHere` where the lane announces nothing of this customer that can be put off, `Unknown`.
    pub fn of(
        lane: &Lane,
        definition: &Definition,
        items: &[Item],
        ask: &DeferAsk,
    ) -> Result<Self, NotPutOff> {
        let not_here = || NotPutOff::NotHere {
            customer: ask.customer.clone(),
        };
        let program = lane.program(definition).ok_or_else(not_here)?;
        let step = lane.step(&program).ok_or_else(not_here)?;
        let (notices, body) = step
            .notices
            .as_ref()
            .zip(step.body())
            .ok_or_else(not_here)?;
        let until_ms = notices.defer_until_ms.ok_or_else(not_here)?;
        let children = lane.children.as_deref();
        let children = children.filter(|children| children.kind == ChildrenKind::Each);
        let children = children.ok_or_else(not_here)?;
        let classes = classes(definition, body);
        if classes.is_empty() {
            return Err(not_here());
        }
        let theirs = (0..).zip(items).filter(|(_, item)| {
            let all = ask.assets.is_empty();
            item.group("customer") == Some(ask.customer.as_str())
                && (all || ask.assets.contains(asset_of(item)))
        });
        let meant = |(index, item): (u32, &Item)| Meant {
            index,
            key: item.key.clone(),
            asset: asset_of(item).to_owned(),
            live: children.live.get(&item.key).map(|live| live.lane),
        };
        let items: Vec<Meant> = theirs.map(meant).collect();
        let found: BTreeSet<&String> = items.iter().map(|item| &item.asset).collect();
        if let Some(asset) = ask.assets.iter().find(|asset| !found.contains(asset)) {
            return Err(NotPutOff::Unknown {
                asset: asset.clone(),
                customer: ask.customer.clone(),
            });
        }
        if items.is_empty() {
            return Err(not_here());
        }
        Ok(Self {
            template: notices.template.clone(),
            until_ms,
            classes,
            items,
        })
    }

    /// The documents from which [`Known`] is read: what counts, what was announced, and the turns of live items in
    /// their order.
    #[must_use]
    pub fn documents(&self, lane: &Lane, customer: &str) -> Vec<String> {
        let run = lane.opening.run;
        let turns = self.live();
        let turns = turns.map(|item| turn_document(run, &self.template, &item.asset));
        [
            deferrals_document(customer),
            announced_document(lane.id(), &self.template, customer),
        ]
        .into_iter()
        .chain(turns)
        .collect()
    }

    /// Items that have a lane.
    pub fn live(&self) -> impl Iterator<Item = &Meant> {
        self.items.iter().filter(|item| item.live.is_some())
    }

    /// What is put off; of all of a customer's, those that may be.
    ///
    /// # Errors
    /// By name, for the first that is not.
    pub fn judge(
        &self,
        lane: &Lane,
        known: &Known,
        ask: &DeferAsk,
        at_ms: i64,
    ) -> Result<Deferral, NotPutOff> {
        let bounds = self.bounds(known)?;
        let children = lane.children.as_deref().ok_or(NotPutOff::NotHere {
            customer: ask.customer.clone(),
        })?;
        let mut turns = Vec::new();
        let mut first = None;
        for item in &self.items {
            match bounds.judge(children, known, item, ask.until_ms, at_ms) {
                Ok(turn) => turns.push(turn),
                Err(why) if !ask.assets.is_empty() => return Err(why),
                Err(why) => first = first.or(Some(why)),
            }
        }
        match first {
            Some(why) if turns.is_empty() => Err(why),
            _ => Ok(Deferral {
                customer: ask.customer.clone(),
                turns,
                until_ms: ask.until_ms,
                by: ask.actor.person.clone(),
                word_of: ask.word_of.clone(),
                via: ask.actor.via.clone(),
                classes: self.classes.clone(),
            }),
        }
    }

    /// The strictest of all classes, each of which has room for one more.
    fn bounds(&self, known: &Known) -> Result<Bounds, NotPutOff> {
        let mut bounds = Bounds {
            until_ms: self.until_ms,
            longest_ms: u64::MAX,
        };
        for class in &self.classes {
            if class == EMERGENCY {
                return Err(NotPutOff::Emergency);
            }
            let class = class.clone();
            let Some(agreed) = known.agreed.get(&class) else {
                return Err(NotPutOff::NotAgreed { class });
            };
            let spent = known.counts.spent(&class, agreed);
            if spent >= agreed.times {
                return Err(used_up(class, agreed, spent));
            }
            bounds.until_ms = bounds.until_ms.max(agreed.until_ms);
            bounds.longest_ms = bounds.longest_ms.min(agreed.longest_ms);
        }
        Ok(bounds)
    }
}

fn used_up(class: String, agreed: &Agreed, spent: u32) -> NotPutOff {
    let times = agreed.times;
    if agreed.of_contract {
        return NotPutOff::ContractUsedUp { times, spent };
    }
    NotPutOff::UsedUp {
        class,
        times,
        spent,
    }
}

struct Bounds {
    until_ms: u64,
    longest_ms: u64,
}

impl Bounds {
    fn judge(
        &self,
        children: &Children,
        known: &Known,
        item: &Meant,
        until_ms: i64,
        at_ms: i64,
    ) -> Result<Turned, NotPutOff> {
        let asset = item.asset.clone();
        let live = children.live.get(&item.key);
        let turn = known.turns.get(&item.asset);
        if live.is_some_and(|live| live.began) || turn.is_some_and(|turn| turn.began) {
            return Err(NotPutOff::Begun { asset });
        }
        let earlier = children.set_aside(item.index);
        let waits = item.index >= children.next || children.passed.contains(&item.index);
        if live.is_none() && !waits && earlier.is_none() {
            return Err(NotPutOff::Over { asset });
        }
        let told = known.announced.assets.get(&item.key);
        let told_ms = told.and_then(|asset| asset.starts_ms);
        // What was put off is announced anew a while later.
        let start_ms = told_ms.max(earlier.map(|earlier| earlier.until_ms));
        let Some(start_ms) = start_ms else {
            return Err(NotPutOff::NoSlot { asset });
        };
        if at_ms > start_ms.saturating_sub_unsigned(self.until_ms) {
            let until = length(self.until_ms);
            return Err(NotPutOff::TooLate { asset, until });
        }
        if until_ms <= start_ms {
            return Err(NotPutOff::NotLater { asset });
        }
        let from_ms = earlier.map_or(start_ms, |earlier| earlier.from_ms);
        if until_ms > from_ms.saturating_add_unsigned(self.longest_ms) {
            let longest = length(self.longest_ms);
            return Err(NotPutOff::TooLong { asset, longest });
        }
        Ok(Turned {
            index: item.index,
            key: item.key.clone(),
            asset,
            from_ms,
        })
    }
}

fn asset_of(item: &Item) -> &str {
    item.value.as_str().unwrap_or(&item.key)
}
