//! One server or device: its attributes for filters and its record for expressions.
//!
//! Not here: credentials, and anything that must look at another asset.

use crate::at::{At, Entries};
use crate::file::RawAsset;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Keys of a filter.
pub const ATTRIBUTES: [&str; 23] = [
    "id",
    "name",
    "customer",
    "owner",
    "kind",
    "os",
    "os_family",
    "platform",
    "parent",
    "hypervisor",
    "ring",
    "exposure",
    "window",
    "service",
    "patch",
    "state",
    "data_level",
    "serial",
    "address",
    "redundancy_group",
    "tag",
    "via",
    "legal_hold",
];

/// States of an asset; retired ones are matched only by filters that name `state`.
pub const STATES: [&str; 4] = ["planned", "ready", "in-service", "retired"];
pub const KINDS: [&str; 5] = ["virtual", "physical", "cloud", "container", "device"];
pub const EXPOSURES: [&str; 4] = ["internet", "campus", "internal", "isolated"];

/// Contracts that reach a server the way a more general one does, unless `via` names them.
const FAMILIES: [(&str, &str); 4] = [
    ("guest-patch", "guest"),
    ("host-firewall", "guest"),
    ("mitigation", "guest"),
    ("audit", "guest"),
];

/// First words of `os` and the family they belong to.
const OS_FAMILIES: [(&str, &str); 16] = [
    ("debian", "debian"),
    ("ubuntu", "debian"),
    ("rhel", "redhat"),
    ("rocky", "redhat"),
    ("almalinux", "redhat"),
    ("centos", "redhat"),
    ("fedora", "redhat"),
    ("oracle", "redhat"),
    ("amazon", "redhat"),
    ("sles", "suse"),
    ("opensuse", "suse"),
    ("windows", "windows"),
    ("freebsd", "bsd"),
    ("openbsd", "bsd"),
    ("esxi", "esxi"),
    ("photon", "redhat"),
];

/// First words of `os` that are known, and the families that they belong to.
pub fn os_names() -> impl Iterator<Item = &'static str> {
    let pairs = OS_FAMILIES.into_iter();
    pairs.flat_map(|(name, family)| [name, family])
}

/// An asset with its defaults filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Asset {
    pub id: String,
    pub name: String,
    pub customer: String,
    /// Person who answers for this asset; none: the customer's owners.
    pub owner: Option<String>,
    pub kind: String,
    pub os: Option<String>,
    pub platform: Option<String>,
    pub parent: Option<String>,
    pub ring: Option<String>,
    pub exposure: Option<String>,
    pub window: Option<String>,
    pub service: Option<String>,
    pub patch: Option<String>,
    pub state: String,
    pub data_level: Option<u8>,
    pub serial: Option<String>,
    pub address: Option<String>,
    pub host_key: Option<String>,
    pub legal_hold: bool,
    pub redundancy_group: Option<String>,
    /// Contract to connection.
    pub via: BTreeMap<String, String>,
    /// Connection to what the asset is called there.
    pub reference: BTreeMap<String, String>,
    pub stop_hook: Option<String>,
    pub start_hook: Option<String>,
    pub can_snapshot: bool,
    pub consents_to_crash_consistent_revert: bool,
    pub tags: Vec<String>,
}

fn text(field: Option<&At<String>>) -> Option<String> {
    field.map(|at| at.value.clone())
}

fn map(entries: &Entries<At<String>>) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(key, at)| (key.value.clone(), at.value.clone()))
        .collect()
}

impl Asset {
    /// From what the files say. Missing mandatory fields become empty: the check has told.
    pub(crate) fn of(id: &str, raw: &RawAsset, redundancy_group: Option<&str>) -> Self {
        let via = map(&raw.via);
        let kind = text(raw.kind.as_ref()).unwrap_or_default();
        Self {
            id: id.to_owned(),
            name: text(raw.name.as_ref()).unwrap_or_else(|| id.to_owned()),
            customer: text(raw.customer.as_ref()).unwrap_or_default(),
            owner: text(raw.owner.as_ref()),
            os: text(raw.os.as_ref()),
            platform: text(raw.platform.as_ref()),
            parent: text(raw.parent.as_ref()),
            ring: text(raw.ring.as_ref()),
            exposure: text(raw.exposure.as_ref()),
            window: text(raw.window.as_ref()),
            service: text(raw.service.as_ref()),
            patch: text(raw.patch.as_ref()),
            state: text(raw.state.as_ref()).unwrap_or_else(|| "in-service".to_owned()),
            data_level: raw.data_level.as_ref().map(|at| at.value),
            serial: text(raw.serial.as_ref()),
            address: text(raw.address.as_ref()),
            host_key: text(raw.host_key.as_ref()),
            legal_hold: raw.legal_hold.unwrap_or(false),
            redundancy_group: redundancy_group.map(str::to_owned),
            reference: map(&raw.reference),
            stop_hook: text(raw.hooks.stop.as_ref()),
            start_hook: text(raw.hooks.start.as_ref()),
            can_snapshot: raw
                .can
                .snapshot
                .unwrap_or(kind == "virtual" && via.contains_key("compute")),
            consents_to_crash_consistent_revert: raw
                .consents
                .crash_consistent_revert
                .unwrap_or(false),
            tags: raw.tags.iter().map(|at| at.value.clone()).collect(),
            via,
            kind,
        }
    }

    /// `debian`, `redhat`, `suse`, `windows`, `bsd`, `esxi`, or `other`; none without an `os`.
    #[must_use]
    pub fn os_family(&self) -> Option<&'static str> {
        let first = self.os.as_deref()?.split('-').next().unwrap_or_default();
        Some(
            OS_FAMILIES
                .iter()
                .find(|(name, _)| *name == first)
                .map_or("other", |(_, family)| family),
        )
    }

    /// What a virtual machine runs on.
    #[must_use]
    pub fn hypervisor(&self) -> Option<&str> {
        if self.kind == "virtual" {
            self.parent.as_deref()
        } else {
            None
        }
    }

    /// The asset's own connection for a contract.
    #[must_use]
    pub fn connection(&self, contract: &str) -> Option<&str> {
        let family = || {
            FAMILIES
                .iter()
                .find(|(name, _)| *name == contract)
                .and_then(|(_, family)| self.via.get(*family))
        };
        self.via.get(contract).or_else(family).map(String::as_str)
    }

    /// Whether an attribute has a value that fits. An attribute without a value never does.
    pub(crate) fn any(&self, attribute: &str, fits: &dyn Fn(&str) -> bool) -> bool {
        let optional = |value: Option<&str>| value.is_some_and(fits);
        match attribute {
            "id" => fits(&self.id),
            "name" => fits(&self.name),
            "customer" => fits(&self.customer),
            "owner" => optional(self.owner.as_deref()),
            "kind" => fits(&self.kind),
            "os" => optional(self.os.as_deref()),
            "os_family" => optional(self.os_family()),
            "platform" => optional(self.platform.as_deref()),
            "parent" => optional(self.parent.as_deref()),
            "hypervisor" => optional(self.hypervisor()),
            "ring" => optional(self.ring.as_deref()),
            "exposure" => optional(self.exposure.as_deref()),
            "window" => optional(self.window.as_deref()),
            "service" => optional(self.service.as_deref()),
            "patch" => optional(self.patch.as_deref()),
            "state" => fits(&self.state),
            "data_level" => self
                .data_level
                .is_some_and(|level| fits(&level.to_string())),
            "serial" => optional(self.serial.as_deref()),
            "address" => optional(self.address.as_deref()),
            "redundancy_group" => optional(self.redundancy_group.as_deref()),
            "tag" => self.tags.iter().any(|tag| fits(tag)),
            "via" => self.via.values().any(|connection| fits(connection)),
            "legal_hold" => fits(if self.legal_hold { "true" } else { "false" }),
            _ => false,
        }
    }

    /// What expressions see. Every field is always there, null where nothing is set.
    #[must_use]
    pub fn record(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "customer": self.customer, "owner": self.owner, "kind": self.kind,
            "os": self.os, "os_family": self.os_family(), "platform": self.platform, "parent": self.parent,
            "hypervisor": self.hypervisor(), "ring": self.ring, "exposure": self.exposure, "window": self.window,
            "service": self.service, "patch": self.patch, "state": self.state, "data_level": self.data_level,
            "serial": self.serial, "address": self.address, "host_key": self.host_key,
            "legal_hold": self.legal_hold, "redundancy_group": self.redundancy_group,
            "groups": { "redundancy_group": self.redundancy_group },
            "via": self.via, "ref": self.reference,
            "hooks": { "stop": self.stop_hook, "start": self.start_hook },
            "can": { "snapshot": self.can_snapshot },
            "has": { "stop_hook": self.stop_hook.is_some(), "start_hook": self.start_hook.is_some() },
            "consents": { "crash_consistent_revert": self.consents_to_crash_consistent_revert },
            "tags": self.tags,
        })
    }
}

/// Lays what `top` says over `base`. Mappings join by key, tags add up, the rest is replaced.
pub(crate) fn lay_over(base: &mut RawAsset, top: &RawAsset) {
    macro_rules! replace {
        ($($($field:ident).+),+ $(,)?) => { $(if top.$($field).+.is_some() { base.$($field).+.clone_from(&top.$($field).+); })+ };
    }
    replace!(
        name,
        customer,
        owner,
        kind,
        os,
        platform,
        parent,
        ring,
        exposure,
        window,
        service,
        patch,
        state,
        data_level,
        serial,
        address,
        host_key,
        legal_hold,
        hooks.stop,
        hooks.start,
        can.snapshot,
        consents.crash_consistent_revert,
    );
    join(&mut base.via, &top.via);
    join(&mut base.reference, &top.reference);
    for tag in &top.tags {
        if base.tags.iter().all(|known| known.value != tag.value) {
            base.tags.push(tag.clone());
        }
    }
}

fn join(base: &mut Entries<At<String>>, top: &Entries<At<String>>) {
    for (key, value) in top.iter() {
        match base
            .0
            .iter_mut()
            .find(|(known, _)| known.value == key.value)
        {
            Some(entry) => entry.1 = value.clone(),
            None => base.0.push((key.clone(), value.clone())),
        }
    }
}
