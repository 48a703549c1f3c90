//! The estate as the engine asks it.

use crate::asking;
use crate::asset::Asset;
use crate::budget;
use crate::consent;
use crate::contact;
use crate::days;
use crate::deferral;
use crate::gates;
use crate::model::Estate;
use crate::notice;
use crate::owing;
use crate::selector::Selector;
use hostler_core::budget::Budgets;
use hostler_core::consent::Required;
use hostler_core::deferral::Agreed;
use hostler_core::directory::{
    AssetId, Choice, Connection, Contact, Directory, Person, PersonId, Route, SelectorFault,
    Trigger,
};
use hostler_core::duty::{Owed, Work};
use hostler_core::fit::Terms;
use hostler_core::gate::Closed;
use hostler_core::id::Digest;
use hostler_core::lane::{Climb, StepUp};
use hostler_core::mail;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Estate {
    /// A filter that is known to fit this estate.
    fn selector(&self, text: &str) -> Result<Selector, SelectorFault> {
        let selector = Selector::parse(text)?;
        selector.check(self)?;
        Ok(selector)
    }

    fn owners_of(&self, what: &str) -> Vec<PersonId> {
        if let Some(asset) = self.assets.get(what) {
            return match &asset.owner {
                Some(owner) => vec![owner.clone()],
                None => self.owners_of(&asset.customer),
            };
        }
        self.people_where(what, |customer, person| customer.owns(person))
    }
}

impl Directory for Estate {
    fn digest(&self) -> Digest {
        self.digest
    }

    fn policies(&self) -> Option<Digest> {
        self.policies.as_ref().map(|policies| policies.digest())
    }

    fn realm(&self) -> &str {
        &self.realm
    }

    fn zone(&self, customer: Option<&str>) -> Option<String> {
        match customer {
            None => Some(self.zone.clone()),
            Some(id) => self
                .customers
                .get(id)
                .map(|customer| days::zone_name(self, customer).to_owned()),
        }
    }

    fn select(&self, selector: &str) -> Result<Vec<AssetId>, SelectorFault> {
        let selector = self.selector(selector)?;
        let keep = |asset: &&Asset| selector.matches(asset);
        let mut found: Vec<AssetId> = match selector.ids() {
            Some(ids) => ids
                .filter_map(|id| self.assets.get(id))
                .filter(keep)
                .map(|asset| asset.id.clone())
                .collect(),
            None => self
                .assets
                .values()
                .filter(keep)
                .map(|asset| asset.id.clone())
                .collect(),
        };
        found.sort();
        Ok(found)
    }

    fn matches(&self, asset: &str, selector: &str) -> Result<bool, SelectorFault> {
        let selector = self.selector(selector)?;
        Ok(self
            .assets
            .get(asset)
            .is_some_and(|asset| selector.matches(asset)))
    }

    fn asset(&self, id: &str) -> Option<Value> {
        self.assets.get(id).map(Asset::record)
    }

    fn route(&self, asset: Option<&str>, contract: &str) -> Option<Route> {
        let asset = match asset {
            Some(id) => Some(self.assets.get(id)?),
            None => None,
        };
        let own = asset.and_then(|asset| asset.connection(contract));
        let connection = self
            .connections
            .get(own.or_else(|| self.via.get(contract).map(String::as_str))?)?;
        Some(Route {
            connection: connection.name.clone(),
            plugin: connection.plugin.clone(),
            address: asset.and_then(|asset| asset.address.clone()),
            reference: asset.and_then(|asset| asset.reference.get(&connection.name).cloned()),
            host_key: asset.and_then(|asset| asset.host_key.clone()),
            handles: connection.handles.clone(),
        })
    }

    fn customer(&self, id: &str) -> Option<Value> {
        let customer = self.customers.get(id)?;
        let zone = days::zone_name(self, customer);
        Some(json!({
            "id": customer.id, "name": customer.name, "zone": zone,
            "calendar": customer.calendar, "contract": customer.contract,
        }))
    }

    fn customers(&self) -> Vec<String> {
        self.customers.keys().cloned().collect()
    }

    fn contacts(&self, customer: &str, kind: &str) -> Vec<Contact> {
        let people = self
            .customers
            .get(customer)
            .map_or(&[][..], |customer| &customer.people);
        people
            .iter()
            .filter(|contact| kind == "any" || contact.roles.iter().any(|role| role == kind))
            .cloned()
            .collect()
    }

    fn people_with(&self, qualification: &str) -> Vec<PersonId> {
        let mut people = match qualification.split_once(':') {
            Some(("role", role)) => {
                let holds = |person: &&Person| person.roles.iter().any(|held| held == role);
                self.people
                    .values()
                    .filter(holds)
                    .map(|person| person.id.clone())
                    .collect()
            }
            Some(("person", id)) => self
                .people
                .get(id)
                .map(|person| person.id.clone())
                .into_iter()
                .collect(),
            Some(("customer", customer)) => {
                self.people_where(customer, |customer, person| customer.decides(person))
            }
            Some(("owner-of", what)) => self.owners_of(what),
            _ => Vec::new(),
        };
        people.sort();
        people.dedup();
        people
    }

    fn qualifications(&self, person: &str) -> BTreeSet<String> {
        let Some(person) = self.people.get(person) else {
            return BTreeSet::new();
        };
        let mut held: BTreeSet<String> = person
            .roles
            .iter()
            .map(|role| format!("role:{role}"))
            .collect();
        held.insert(format!("person:{}", person.id));
        for customer in person
            .customers
            .iter()
            .filter_map(|id| self.customers.get(id))
        {
            if customer.decides(&person.id) {
                held.insert(format!("customer:{}", customer.id));
            }
            if customer.owns(&person.id) {
                held.insert(format!("owner-of:{}", customer.id));
            }
        }
        // An asset may name any person as its owner, so all assets are looked at.
        let owned = self
            .assets
            .values()
            .filter(|asset| self.owns_asset(&person.id, asset));
        held.extend(owned.map(|asset| format!("owner-of:{}", asset.id)));
        held
    }

    fn holds(&self, person: &str, qualification: &str) -> bool {
        let Some(known) = self.people.get(person) else {
            return false;
        };
        match qualification.split_once(':') {
            Some(("role", role)) => known.roles.iter().any(|held| held == role),
            Some(("person", id)) => known.id == id,
            Some(("customer", id)) => self
                .customers
                .get(id)
                .is_some_and(|customer| customer.decides(person)),
            Some(("owner-of", what)) => match self.assets.get(what) {
                Some(asset) => self.owns_asset(person, asset),
                None => self
                    .customers
                    .get(what)
                    .is_some_and(|customer| customer.owns(person)),
            },
            _ => false,
        }
    }

    fn stands_in_for(&self, delegate: &str, at_ms: i64) -> Vec<PersonId> {
        let (Some(policies), Some(date)) = (&self.policies, self.date(at_ms)) else {
            return Vec::new();
        };
        let named = policies.delegators(delegate, date).into_iter();
        named.map(str::to_owned).collect()
    }

    fn delegates_of(&self, person: &str, at_ms: i64) -> Vec<PersonId> {
        let (Some(policies), Some(date)) = (&self.policies, self.date(at_ms)) else {
            return Vec::new();
        };
        let named = policies.delegates(person, date).into_iter();
        named.map(str::to_owned).collect()
    }

    fn person(&self, id: &str) -> Option<Person> {
        self.people.get(id).cloned()
    }

    fn closed(&self, asset: &str, class: &str, needed_ms: u64, now_ms: i64) -> Option<Closed> {
        gates::closed(self, asset, class, needed_ms, now_ms)
    }

    fn closed_within(
        &self,
        asset: &str,
        class: &str,
        windows: &[String],
        needed_ms: u64,
        now_ms: i64,
    ) -> Option<Closed> {
        gates::closed_within(self, asset, class, windows, needed_ms, now_ms)
    }

    fn closes_ms(&self, asset: &str, windows: &[String], at_ms: i64) -> Option<i64> {
        gates::closes_ms(self, asset, windows, at_ms)
    }

    fn midnight_after(&self, days: u16, from_ms: i64) -> Option<i64> {
        asking::midnight_after(self, days, from_ms)
    }

    fn passes_freezes(&self, class: &str) -> bool {
        gates::passes_freezes(self, class)
    }

    fn step_up(&self, class: &str) -> Option<StepUp> {
        self.policies.as_ref()?.step_up(class)
    }

    fn unconfirmed(
        &self,
        asset: &str,
        class: &str,
        now_ms: i64,
        dead: &BTreeSet<PersonId>,
    ) -> Option<Closed> {
        contact::unconfirmed(self, (asset, class), now_ms, dead)
    }

    fn budgets(&self, asset: &str, classes: &[String], now_ms: i64) -> Option<Budgets> {
        budget::limits(self, asset, classes, now_ms)
    }

    fn must_have(&self) -> BTreeSet<String> {
        let policies = self.policies.as_ref();
        policies.map_or_else(mail::must_have, |policies| policies.must_have.clone())
    }

    fn consent(&self, customer: &str, class: &str) -> Option<Required> {
        consent::required(self, customer, class)
    }

    fn deferral(&self, customer: &str, class: &str, now_ms: i64) -> Option<Agreed> {
        deferral::agreed(self, customer, class, now_ms)
    }

    fn deferrable(&self) -> Option<BTreeSet<String>> {
        deferral::classes(self)
    }

    fn fit(&self, action: &str) -> Terms {
        let policies = self.policies.as_ref();
        policies.map_or_else(Terms::default, |policies| policies.fit(action))
    }

    fn verb_ms(&self, verb: &str) -> Option<u64> {
        self.policies.as_ref()?.verb_ms(verb)
    }

    fn earliest_ms(&self, class: &str, asset: &str, told_ms: Option<i64>) -> Option<i64> {
        notice::earliest_ms(self, class, asset, told_ms)
    }

    fn owed(&self, work: &Work<'_>) -> Option<Owed> {
        owing::owed(self, work)
    }

    fn ladder(&self, name: &str, customer: Option<&str>, opened_ms: i64) -> Option<Climb> {
        asking::ladder(self, name, customer, opened_ms)
    }

    fn ladders(&self) -> Option<BTreeSet<String>> {
        Some(asking::ladders(self))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.policies.as_ref()?.text(name).map(str::to_owned)
    }

    fn texts(&self) -> Option<BTreeSet<String>> {
        Some(self.policies.as_ref()?.texts.keys().cloned().collect())
    }

    fn business_days_after(&self, customer: Option<&str>, days: u16, from_ms: i64) -> Option<i64> {
        asking::business_days_after(self, customer, days, from_ms)
    }

    fn people(&self) -> Vec<Person> {
        self.people.values().cloned().collect()
    }

    fn roles(&self) -> BTreeMap<String, String> {
        self.roles.clone()
    }

    fn catalog(&self, name: &str) -> Option<Vec<Choice>> {
        self.catalog.get(name).cloned()
    }

    fn catalogs(&self) -> BTreeSet<String> {
        self.catalog.keys().cloned().collect()
    }

    fn triggers(&self, class: &str) -> Option<Vec<Trigger>> {
        Some(self.policies.as_ref()?.reasons(class))
    }

    fn amounts(&self) -> Option<BTreeMap<String, u64>> {
        Some(self.policies.as_ref()?.spend.limits.clone())
    }

    fn windows(&self) -> BTreeSet<String> {
        self.windows.keys().cloned().collect()
    }

    fn window(&self, id: &str) -> Option<Value> {
        let window = self.windows.get(id)?;
        Some(
            json!({ "id": id, "when": window.when, "at": window.at, "lasts_ms": window.lasts_ms, "zone": window.zone }),
        )
    }

    fn connection(&self, name: &str) -> Option<Arc<Connection>> {
        self.connections.get(name).cloned()
    }

    fn connections(&self) -> Vec<Arc<Connection>> {
        self.connections.values().cloned().collect()
    }
}
