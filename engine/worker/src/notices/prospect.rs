//! When announced work happens, as far as calendars, freezes and the time that customers are promised say it; and
//! whether that is still what they were told.
//!
//! Not here: whether a call may begin (`gates`): this looks ahead, and decides nothing.

use super::opening::{of_list, of_waves, open_behind};
use crate::gates::consent;
use crate::resolve::Fault;
use crate::scope::View;
use crate::{Driver, Trouble};
use hostler_core::command::Comparison;
use hostler_core::consent::{Said, consent_document};
use hostler_core::deferral::EMERGENCY;
use hostler_core::definition::{CLASSES, NoticePlan, ProgramIndex, Spawn, Step, Verb};
use hostler_core::fit::{Histories, Lengths, history_document, need_of};
use hostler_core::gate::{FREEZES, Freezes, Told, told_document};
use hostler_core::lane::{Children, CustomerShare, Item, Slot, WaveRange};
use hostler_core::mail::{Announced, AnnouncedAsset, announced_document};
use hostler_ports::store::histories::{self, Kept};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Assumed length of announced work behind the last server's turn until a window says it.
pub(super) const WORK_MS: i64 = 4 * 3_600_000;
/// Gates behind each other that are looked through for one server.
const GATES_MAX: usize = 64;
/// Assets of one customer whose times are looked up and that a notice lists by name.
pub(super) const ASSETS_MAX: usize = 500;
/// Customers whose announcements one decision compares.
const COMPARED_MAX: usize = 50;

/// What lies before the disturbing calls of an `each`.
pub(crate) struct Outlook {
    classes: Vec<String>,
    /// What its items run, and how long that took so far.
    body: ProgramIndex,
    histories: Histories,
    freezes: Freezes,
    /// Windows that the runbook names itself, as far as they are the same for all servers.
    windows: Vec<String>,
    notices: Option<NoticePlan>,
}

impl Outlook {
    /// None: what the step does disturbs nobody, so nothing holds it.
    pub(crate) async fn of(view: &View<'_>, step: &Step) -> Result<Option<Self>, Trouble> {
        let Verb::Spawn(Spawn::Each(_)) = &step.verb else {
            return Ok(None);
        };
        let Some(body) = step.body() else {
            return Ok(None);
        };
        let outages = view.definition.outages(body);
        if outages.is_empty() {
            return Ok(None);
        }
        let histories = histories::all(&*view.driver.parts.store).await?;
        let named = |kept: Kept| {
            let name = history_document(&kept.action, &kept.kind);
            (name, kept.history)
        };
        let class = |step: &&Step| view.definition.class_of(step).to_owned();
        let classes: BTreeSet<String> = outages.iter().map(class).collect();
        let known = |class: &String| CLASSES.contains(&class.as_str());
        let freezes = view.driver.read::<Freezes>(FREEZES).await?;
        Ok(Some(Self {
            classes: classes.into_iter().filter(known).collect(),
            body,
            histories: histories.into_iter().map(named).collect(),
            freezes: freezes.unwrap_or_default(),
            windows: windows(view, &outages).await?,
            notices: step.notices.clone(),
        }))
    }

    /// Whether the customer's people may put anything of this off, as far as it was agreed.
    pub(super) fn can_be_put_off(&self, view: &View<'_>, customer: &str) -> bool {
        let directory = &view.driver.parts.directory;
        let agreed = |class: &String| {
            class != EMERGENCY && directory.deferral(customer, class, view.now_ms).is_some()
        };
        let granted = self
            .notices
            .as_ref()
            .and_then(|notices| notices.defer_until_ms);
        granted.is_some() && self.classes.iter().all(agreed)
    }

    /// Whether the customer is asked to agree to this.
    pub(super) fn is_asked(&self, view: &View<'_>, customer: &str) -> bool {
        consent::required(view, customer, &self.classes).is_some()
    }

    /// Whether a window of this asset opens at that instant.
    fn opens_at(&self, view: &View<'_>, asset: &str, at_ms: i64) -> bool {
        let (directory, windows) = (&view.driver.parts.directory, &self.windows);
        let is_closed = |class: &String, at_ms: i64| {
            let closed = directory.closed_within(asset, class, windows, 1, at_ms);
            closed.is_some()
        };
        let mut classes = self.classes.iter();
        classes.any(|class| !is_closed(class, at_ms) && is_closed(class, at_ms - 1))
    }

    /// When its silence agrees, if nobody says anything; none: it is not asked so.
    fn silent_ms(&self, view: &View<'_>, customer: &str, told_ms: i64) -> Option<i64> {
        let required = consent::required(view, customer, &self.classes)?;
        consent::silent_ms(view, customer, required.kind, told_ms)
    }

    /// When this asset's turn comes at the earliest, if its customer knows of it since `told_ms` and its wave opens
    /// then; none: nobody can say.
    fn starts_ms(
        &self,
        view: &View<'_>,
        asset: &str,
        told_ms: i64,
        opens_ms: Option<i64>,
    ) -> Option<i64> {
        let directory = &view.driver.parts.directory;
        let lengths = Lengths::of(&**directory, asset, &self.histories);
        let need = need_of(&view.definition, self.body, &lengths);
        let needed_ms = need.map_or(1, |need| need.total_ms());
        let mut at_ms = opens_ms.unwrap_or(view.now_ms).max(view.now_ms);
        for _ in 0..GATES_MAX {
            let mut next_ms = at_ms;
            for class in &self.classes {
                let promised_ms = directory.earliest_ms(class, asset, Some(told_ms));
                let stricter =
                    |notices: &NoticePlan| notices.stricter(Some(told_ms), told_ms, promised_ms);
                let promised_ms = self.notices.as_ref().map_or(promised_ms, stricter);
                next_ms = next_ms.max(promised_ms?);
                let declared = self.freezes.freezes.iter().filter(|freeze| {
                    let applies = directory.matches(asset, &freeze.applies);
                    freeze.holds(class, at_ms) && applies.unwrap_or(true)
                });
                next_ms = declared.map(|freeze| freeze.to_ms).fold(next_ms, i64::max);
                let windows = &self.windows;
                if let Some(closed) =
                    directory.closed_within(asset, class, windows, needed_ms, at_ms)
                {
                    next_ms = next_ms.max(closed.until_ms.filter(|until_ms| *until_ms > at_ms)?);
                }
            }
            if next_ms == at_ms {
                return Some(at_ms);
            }
            at_ms = next_ms;
        }
        None
    }

    /// The slots of all customers of a list that is about to be announced.
    pub(crate) fn slots(
        &self,
        view: &View<'_>,
        items: &[Item],
        waves: &[WaveRange],
    ) -> BTreeMap<String, Slot> {
        let opens = of_waves(items, waves);
        let mut of_customers: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        for item in items {
            if let Some(customer) = item.group("customer") {
                of_customers.entry(customer).or_default().push(item);
            }
        }
        let slot = |(customer, items): (&str, Vec<&Item>)| {
            let keys = items.iter().map(|item| item.key.as_str());
            let known = keys.filter_map(|key| Some((key, *opens.get(key)?)));
            let mut opens = known.collect();
            open_behind(
                &mut opens,
                &items,
                self.silent_ms(view, customer, view.now_ms),
            );
            let assets = assets(view, Some(self), &items, view.now_ms, &opens);
            Some((customer.to_owned(), slot(&assets)?))
        };
        of_customers.into_iter().filter_map(slot).collect()
    }
}

/// Windows that outages name and that do not depend on the server.
async fn windows(view: &View<'_>, outages: &[&Step]) -> Result<Vec<String>, Trouble> {
    let mut names = Vec::new();
    for window in outages.iter().filter_map(|step| step.window.as_ref()) {
        match view.value(window).await {
            Ok(Value::String(name)) if !names.contains(&name) => names.push(name),
            // What names the server is known at its gate; mostly it is the server's own.
            Ok(_) | Err(Fault::Step(_)) => {}
            Err(Fault::Worker(trouble)) => return Err(trouble),
        }
    }
    Ok(names)
}

/// Items as an announcement lists them.
fn assets(
    view: &View<'_>,
    outlook: Option<&Outlook>,
    items: &[&Item],
    told_ms: i64,
    opens: &BTreeMap<&str, i64>,
) -> BTreeMap<String, AnnouncedAsset> {
    let asset = |item: &&Item| {
        let id = item.value.as_str().unwrap_or(&item.key);
        let record = view.plan.assets.get(id);
        let name = record.and_then(|record| record.get("name")?.as_str());
        let starts_ms = outlook.filter(|_| record.is_some());
        let asset = AnnouncedAsset {
            name: name.unwrap_or(&item.key).to_owned(),
            starts_ms: starts_ms.and_then(|outlook| {
                let opens_ms = opens.get(item.key.as_str()).copied();
                outlook.starts_ms(view, id, told_ms, opens_ms)
            }),
        };
        (item.key.clone(), asset)
    };
    items.iter().take(ASSETS_MAX).map(asset).collect()
}

/// From the first server's turn on.
fn slot(assets: &BTreeMap<String, AnnouncedAsset>) -> Option<Slot> {
    let starts = || assets.values().filter_map(|asset| asset.starts_ms);
    Some(Slot {
        starts_ms: starts().min()?,
        ends_ms: starts().max()?.saturating_add(WORK_MS),
    })
}

/// Whether an item's turn is still to come.
fn is_ahead(children: &Children, index: u32, item: &Item) -> bool {
    let waits = children.passed.contains(&index) || children.again.contains(&index);
    let held = children.live.get(&item.key).is_some_and(|live| !live.began);
    index >= children.next || waits || held || children.set_aside(index).is_some()
}

impl Driver {
    /// A document's value as it is now.
    pub(super) async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Trouble> {
        let found = self.parts.store.documents(&[name.to_owned()]).await?;
        let body = found
            .into_iter()
            .flatten()
            .next()
            .and_then(|found| found.body);
        let read = body.map(|body| serde_json::from_str(&body)).transpose();
        read.map_err(|fault| Trouble::Unreadable(format!("the document {name}: {fault}")))
    }

    /// What the customer was told last of the present step.
    pub(super) async fn told_last(
        &self,
        view: &View<'_>,
        template: &str,
        customer: &str,
    ) -> Result<Option<Announced>, Trouble> {
        self.read(&announced_document(view.lane.id(), template, customer))
            .await
    }

    /// What there is to announce to a customer now. With `was`, what has begun or ended stays as it was told.
    pub(super) async fn prospect(
        &self,
        view: &View<'_>,
        outlook: Option<&Outlook>,
        (template, customer): (&str, &str),
        was: Option<&Announced>,
    ) -> Result<Announced, Trouble> {
        let items = self.items(view.lane).await?;
        let children = view.lane.children.as_deref();
        let share = children.and_then(|children| children.customers.get(customer));
        let theirs = (0..).zip(items.iter()).filter(|(index, item)| {
            let ahead = children.is_none_or(|children| is_ahead(children, *index, item));
            item.group("customer") == Some(customer) && (was.is_none() || ahead)
        });
        let theirs: Vec<&Item> = theirs.map(|(_, item)| item).collect();
        let is_slot = |asset: &str, at_ms: i64| {
            outlook.is_some_and(|outlook| outlook.opens_at(view, asset, at_ms))
        };
        let mut opens = match children {
            Some(children) => of_list(&items, children, &is_slot),
            None => BTreeMap::new(),
        };
        let told_ms = match was {
            None => view.now_ms,
            Some(_) => self.told_ms(view, template, customer).await?,
        };
        let silent_ms = outlook.and_then(|outlook| outlook.silent_ms(view, customer, told_ms));
        if silent_ms.is_some() {
            let document = consent_document(view.lane.opening.run, customer);
            let said = self.read::<Said>(&document).await?;
            open_behind(&mut opens, &theirs, silent_ms.filter(|_| said.is_none()));
        }
        let ahead = assets(view, outlook, &theirs, told_ms, &opens);
        let slot = slot(&ahead).or(was.and_then(|was| was.slot));
        let mut assets = ahead;
        if let (Some(was), Some(CustomerShare { started: true, .. })) = (was, share) {
            for (id, asset) in &was.assets {
                assets.entry(id.clone()).or_insert_with(|| asset.clone());
            }
        }
        Ok(Announced {
            slot,
            assets,
            ..Announced::default()
        })
    }

    /// Since when somebody there is known to have the notice.
    async fn told_ms(
        &self,
        view: &View<'_>,
        template: &str,
        customer: &str,
    ) -> Result<i64, Trouble> {
        let document = told_document(view.lane.opening.run, template, customer);
        let told = self.read::<Told>(&document).await?;
        let reached = told.and_then(|told| told.reached);
        Ok(reached.map_or(view.now_ms, |reached| reached.at_ms))
    }

    /// Announcements of the present step that may no longer be so, beside what is so now.
    pub(crate) async fn comparisons(
        &self,
        view: &View<'_>,
        step: &Step,
    ) -> Result<Vec<Comparison>, Trouble> {
        let (Some(children), Some(notices)) = (view.lane.children.as_deref(), &step.notices) else {
            return Ok(Vec::new());
        };
        let doubtful = children
            .customers
            .iter()
            .filter(|(_, share)| share.is_compared(view.now_ms));
        let doubtful: Vec<&String> = doubtful.map(|(id, _)| id).take(COMPARED_MAX).collect();
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        let outlook = Outlook::of(view, step).await?;
        let mut compared = Vec::new();
        for customer in doubtful {
            let about = (notices.template.as_str(), customer.as_str());
            let was = self.told_last(view, about.0, about.1).await?;
            // What an older engine announced nobody can compare.
            let was = was.unwrap_or_default();
            let now = self
                .prospect(view, outlook.as_ref(), about, Some(&was))
                .await?;
            compared.push(Comparison {
                customer: customer.clone(),
                slot: now.slot,
                differs: !was.differences(&now).is_empty(),
            });
        }
        Ok(compared)
    }
}
