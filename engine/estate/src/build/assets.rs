//! Assets, the defaults that fill them in, and groups.

use super::{ASSETS_MAX, Builder, Seen};
use crate::asset::{Asset, EXPOSURES, KINDS, STATES, lay_over};
use crate::at::At;
use crate::fault::Bad;
use crate::file::RawAsset;
use crate::model::Group;
use crate::selector::Selector;
use crate::text;
use hostler_core::directory::Reach;
use std::collections::BTreeMap;

/// Kinds of groups; only the members of a redundancy group stand in for each other.
const GROUP_KINDS: [&str; 2] = ["redundancy", "cluster"];

impl<'a> Builder<'a> {
    pub(super) fn assets(&mut self) {
        let redundancy = self.groups();
        let defaults = self.defaults();
        let mut seen = Seen::new();
        let mut places = Vec::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.assets.iter() {
                if !self.id(file, id, "asset", &mut seen) {
                    continue;
                }
                self.fields(file, raw);
                let group = redundancy.get(id.value.as_str()).map(String::as_str);
                let own = Asset::of(&id.value, raw, group);
                let mut merged = RawAsset::default();
                for (_, set) in defaults
                    .iter()
                    .filter(|(selector, _)| selector.matches(&own))
                {
                    lay_over(&mut merged, set);
                }
                lay_over(&mut merged, raw);
                self.estate
                    .assets
                    .insert(id.value.clone(), Asset::of(&id.value, &merged, group));
                places.push((file, id));
            }
        }
        if places.len() > ASSETS_MAX
            && let Some((file, at)) = places.get(ASSETS_MAX)
        {
            self.out.add(
                *file,
                at.position,
                "HE050",
                format!("a realm has at most {ASSETS_MAX} assets"),
                "divide the estate into realms",
            );
        }
        for (file, id) in places {
            self.whole(file, id);
        }
        self.members();
        self.jumps();
    }

    /// What a default may say, and to whom it applies: what an asset says itself counts, not other
    /// defaults.
    fn defaults(&mut self) -> Vec<(Selector, &'a RawAsset)> {
        let mut defaults = Vec::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for default in &parsed.defaults {
                self.fields(file, &default.set);
                // A filter that cannot be read is told where all filters are checked.
                if let Ok(selector) = Selector::parse(&default.matches.value) {
                    defaults.push((selector, &default.set));
                }
            }
        }
        defaults
    }

    /// Formats and references of what one asset or default says.
    fn fields(&mut self, file: usize, raw: &RawAsset) {
        let words = [
            (&raw.os, "os"),
            (&raw.platform, "platform"),
            (&raw.parent, "parent"),
            (&raw.ring, "ring"),
            (&raw.service, "service"),
            (&raw.patch, "patch"),
        ];
        for (at, what) in words {
            self.format_if(file, at.as_ref(), what, text::id);
        }
        self.format_if(file, raw.name.as_ref(), "name", text::line);
        self.format_if(file, raw.serial.as_ref(), "serial", text::line);
        self.format_if(file, raw.address.as_ref(), "address", text::address);
        self.format_if(file, raw.host_key.as_ref(), "host_key", text::host_key);
        self.format_if(file, raw.hooks.stop.as_ref(), "hook", text::program);
        self.format_if(file, raw.hooks.start.as_ref(), "hook", text::program);
        self.choice(file, raw.kind.as_ref(), "kind", &KINDS);
        self.choice(file, raw.exposure.as_ref(), "exposure", &EXPOSURES);
        self.choice(file, raw.state.as_ref(), "state", &STATES);
        for tag in &raw.tags {
            self.format(file, tag, "tag", text::id);
        }
        if let Some(at) = &raw.data_level
            && !(1..=4).contains(&at.value)
        {
            self.out.bad(
                file,
                at,
                "data_level",
                Bad::new("is out of range", "write 1 (public) to 4 (most protected)"),
            );
        }
        self.references(file, raw);
    }

    fn references(&mut self, file: usize, raw: &RawAsset) {
        let estate = &self.estate;
        if let Some(at) = raw
            .customer
            .as_ref()
            .filter(|at| !estate.customers.contains_key(&at.value))
        {
            self.out.unknown(
                file,
                at,
                "customer",
                "customers",
                estate.customers.keys().map(String::as_str),
            );
        }
        if let Some(at) = raw
            .window
            .as_ref()
            .filter(|at| !estate.windows.contains_key(&at.value))
        {
            self.out.unknown(
                file,
                at,
                "window",
                "windows",
                estate.windows.keys().map(String::as_str),
            );
        }
        if let Some(at) = raw
            .owner
            .as_ref()
            .filter(|at| !estate.people.contains_key(&at.value))
        {
            self.out.unknown(
                file,
                at,
                "person",
                "people",
                estate.people.keys().map(String::as_str),
            );
        }
        for (contract, connection) in raw.via.iter() {
            self.contract(file, contract);
            self.connection_exists(file, connection);
        }
        for (connection, reference) in raw.reference.iter() {
            self.connection_exists(file, connection);
            self.format(file, reference, "ref", text::line);
        }
    }

    /// What must be there once the defaults are in.
    fn whole(&mut self, file: usize, id: &At<String>) {
        let Some(asset) = self.estate.assets.get(&id.value) else {
            return;
        };
        let mut missing = |what: &str, remedy: &str| {
            self.out.add(
                file,
                id.position,
                "HE040",
                format!("asset `{}` has no {what}", id.value),
                remedy,
            );
        };
        if asset.customer.is_empty() {
            missing("customer", "add `customer:`; it is told and asked");
        }
        if asset.kind.is_empty() {
            missing(
                "kind",
                "add `kind:` virtual, physical, cloud, container or device",
            );
        }
        let by = |fits: &dyn Fn(&Reach) -> bool| {
            let reaches = |name: &String| {
                self.estate
                    .connections
                    .get(name)
                    .is_some_and(|connection| fits(&connection.reach))
            };
            asset.via.values().find(|name| reaches(name))
        };
        let ssh = by(&|reach| matches!(reach, Reach::Ssh { .. }));
        let addressed = by(&|reach| matches!(reach, Reach::Ssh { .. } | Reach::Network { .. }));
        if let (Some(connection), None) = (ssh, &asset.host_key) {
            missing(
                &format!("host_key, but connection `{connection}` is ssh"),
                "add the line of its ssh_host_ed25519_key.pub, checked at the server's console",
            );
        }
        if let (Some(connection), None) = (addressed, &asset.address) {
            missing(
                &format!("address, but connection `{connection}` needs one"),
                "add `address:`",
            );
        }
        if self.estate.customers.contains_key(&id.value) {
            let message = format!(
                "`{}` is an asset and a customer: `owner-of:{}` would mean both",
                id.value, id.value
            );
            self.out
                .add(file, id.position, "HE011", message, "rename one of them");
        }
    }

    /// Groups; gives each member of a redundancy group its group.
    fn groups(&mut self) -> BTreeMap<&'a str, String> {
        let mut seen = Seen::new();
        let mut redundancy: BTreeMap<&str, String> = BTreeMap::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.groups.iter() {
                self.id(file, id, "group", &mut seen);
                self.choice(file, Some(&raw.kind), "kind", &GROUP_KINDS);
                let mut inside = Seen::new();
                for member in &raw.members {
                    self.id(file, member, "member", &mut inside);
                    if raw.kind.value == "redundancy"
                        && let Some(other) = redundancy
                            .insert(&member.value, id.value.clone())
                            .filter(|other| *other != id.value)
                    {
                        let why = Bad::new(
                            format!("is in redundancy group `{other}` as well"),
                            "keep it in one",
                        );
                        self.out.bad(file, member, "member", why);
                    }
                }
                let size = u32::try_from(raw.members.len()).unwrap_or(u32::MAX);
                let keep_up = raw
                    .keep_up
                    .as_ref()
                    .map_or(size.saturating_sub(1), |at| at.value);
                if let Some(at) = raw.keep_up.as_ref().filter(|at| at.value >= size) {
                    let why = Bad::new(
                        "leaves no member that may go down",
                        format!("write at most {}", size.saturating_sub(1)),
                    );
                    self.out.bad(file, at, "keep_up", why);
                }
                let members = raw.members.iter().map(|at| at.value.clone()).collect();
                self.estate.groups.insert(
                    id.value.clone(),
                    Group {
                        kind: raw.kind.value.clone(),
                        members,
                        keep_up,
                    },
                );
            }
        }
        redundancy
    }

    fn members(&mut self) {
        for (file, parsed) in self.files.iter().enumerate() {
            for member in parsed.groups.iter().flat_map(|(_, raw)| &raw.members) {
                self.asset_exists(file, member);
            }
        }
    }

    /// A jump host is an asset whose key is pinned as well.
    fn jumps(&mut self) {
        for (file, parsed) in self.files.iter().enumerate() {
            for at in parsed
                .connections
                .iter()
                .filter_map(|(_, raw)| raw.jump.as_ref())
            {
                let unpinned = |asset: &Asset| asset.host_key.is_none() || asset.address.is_none();
                if !self.asset_exists(file, at)
                    && self.estate.assets.get(&at.value).is_some_and(unpinned)
                {
                    let why = Bad::new("has no host_key or no address", "add both to that asset");
                    self.out.bad(file, at, "jump host", why);
                }
            }
        }
    }

    /// Adds a fault and says true when it does not.
    fn asset_exists(&mut self, file: usize, at: &At<String>) -> bool {
        let missing = !self.estate.assets.contains_key(&at.value);
        if missing {
            self.out.unknown(
                file,
                at,
                "asset",
                "assets",
                self.estate.assets.keys().map(String::as_str),
            );
        }
        missing
    }
}
