//! Connections: exactly one kind of reach each, secrets only by reference.

use super::{Builder, Seen};
use crate::at::At;
use crate::fault::Bad;
use crate::file::{RawConnection, RawLimits};
use crate::text;
use hostler_core::directory::{Connection, Limits, Reach, SecretReference};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Calls at the same time when a connection says nothing.
const AT_ONCE: u32 = 8;
const PER_HOST: u32 = 4;
/// More calls at the same time than any worker makes.
const AT_ONCE_MAX: u32 = 10_000;

pub(super) fn secret(at: &At<String>) -> SecretReference {
    SecretReference(at.value.clone())
}

fn texts(list: &[At<String>]) -> Vec<String> {
    list.iter().map(|at| at.value.clone()).collect()
}

impl Builder<'_> {
    pub(super) fn connections(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.connections.iter() {
                if !self.id(file, id, "connection", &mut seen) {
                    continue;
                }
                self.parts(file, raw);
                if let Some(reach) = self.reach(file, id, raw) {
                    let connection = Connection {
                        name: id.value.clone(),
                        plugin: raw.plugin.value.clone(),
                        reach,
                        limits: self.limits(file, raw.limits.as_ref()),
                        handles: self.handles(file, raw),
                    };
                    self.estate
                        .connections
                        .insert(id.value.clone(), Arc::new(connection));
                }
            }
        }
        for (file, parsed) in self.files.iter().enumerate() {
            for (_, raw) in parsed.connections.iter() {
                for (_, target) in raw.handles.iter() {
                    self.connection_exists(file, target);
                }
            }
        }
    }

    /// The formats of all parts, whatever the kind.
    fn parts(&mut self, file: usize, raw: &RawConnection) {
        if let Some(plugins) = &self.known.plugins
            && !plugins.contains(&raw.plugin.value)
        {
            self.out.unknown(
                file,
                &raw.plugin,
                "plugin",
                "plugins/",
                plugins.iter().map(String::as_str),
            );
        }
        self.format(file, &raw.plugin, "plugin", text::id);
        self.format_if(file, raw.url.as_ref(), "url", text::url);
        self.format_if(file, raw.network.as_ref(), "network", text::network);
        self.format_if(file, raw.user.as_ref(), "user", text::id);
        self.format_if(file, raw.worker.as_ref(), "worker", text::id);
        self.choice(file, raw.scheme.as_ref(), "scheme", &["http", "https"]);
        for (at, what) in [
            (&raw.key, "key"),
            (&raw.credential, "credential"),
            (&raw.authority, "authority"),
        ] {
            self.format_if(file, at.as_ref(), what, text::secret);
        }
        for path in &raw.paths {
            self.format(file, path, "path", text::url_path);
        }
        for address in &raw.addresses {
            self.format(file, address, "address", text::network);
        }
    }

    fn reach(&mut self, file: usize, id: &At<String>, raw: &RawConnection) -> Option<Reach> {
        let kinds = [
            raw.url.is_some(),
            raw.network.is_some(),
            raw.user.is_some(),
            raw.worker.is_some(),
        ];
        if kinds.iter().filter(|there| **there).count() != 1 {
            let message = format!(
                "connection `{}` must have exactly one of `url`, `network`, `user` (ssh), `worker`",
                id.value
            );
            self.out.add(
                file,
                id.position,
                "HE040",
                message,
                "keep the one that says what is reached",
            );
            return None;
        }
        self.misplaced(file, raw);
        let auth = self.auth(file, raw);
        let authority = raw.authority.as_ref().map(secret);
        if let Some(url) = &raw.url {
            let (paths, addresses) = (texts(&raw.paths), texts(&raw.addresses));
            return Some(Reach::Http {
                url: url.value.clone(),
                paths,
                addresses,
                auth,
                authority,
            });
        }
        if let Some(network) = &raw.network {
            let scheme = raw
                .scheme
                .as_ref()
                .map_or("https", |at| at.value.as_str())
                .to_owned();
            let port = raw
                .port
                .as_ref()
                .map_or(if scheme == "http" { 80 } else { 443 }, |at| at.value);
            return Some(Reach::Network {
                network: network.value.clone(),
                scheme,
                port,
                auth,
                authority,
            });
        }
        if let Some(worker) = &raw.worker {
            return Some(Reach::Vantage {
                worker: worker.value.clone(),
            });
        }
        let user = raw.user.as_ref()?.value.clone();
        let Some(key) = &raw.key else {
            let message = format!("connection `{}` has no `key`", id.value);
            self.out.add(
                file,
                id.position,
                "HE040",
                message,
                "add `key: file:<private key>`",
            );
            return None;
        };
        let port = raw.port.as_ref().map_or(22, |at| at.value);
        let jump = raw.jump.as_ref().map(|at| at.value.clone());
        Some(Reach::Ssh {
            user,
            key: secret(key),
            port,
            jump,
            addresses: texts(&raw.addresses),
            sudo: raw.sudo.as_ref().is_some_and(|at| at.value),
        })
    }

    /// A part that this kind of connection would silently ignore.
    fn misplaced(&mut self, file: usize, raw: &RawConnection) {
        let (http, network, ssh) = (raw.url.is_some(), raw.network.is_some(), raw.user.is_some());
        let parts = [
            ("paths", raw.paths.first().map(|at| at.position), http),
            (
                "addresses",
                raw.addresses.first().map(|at| at.position),
                http || ssh,
            ),
            ("scheme", raw.scheme.as_ref().map(|at| at.position), network),
            (
                "port",
                raw.port.as_ref().map(|at| at.position),
                network || ssh,
            ),
            ("key", raw.key.as_ref().map(|at| at.position), ssh),
            ("jump", raw.jump.as_ref().map(|at| at.position), ssh),
            ("sudo", raw.sudo.as_ref().map(|at| at.position), ssh),
            (
                "auth",
                raw.auth.as_ref().map(|at| at.position),
                http || network,
            ),
            (
                "credential",
                raw.credential.as_ref().map(|at| at.position),
                http || network,
            ),
            (
                "authority",
                raw.authority.as_ref().map(|at| at.position),
                http || network,
            ),
        ];
        for (part, position, fits) in parts {
            if let (Some(position), false) = (position, fits) {
                let message = format!("`{part}` has no meaning on a connection of this kind");
                self.out.add(file, position, "HE030", message, "remove it");
            }
        }
    }

    fn limits(&mut self, file: usize, raw: Option<&RawLimits>) -> Limits {
        let mut one = |at: Option<&At<u32>>, otherwise: u32| {
            let Some(at) = at else { return otherwise };
            if !(1..=AT_ONCE_MAX).contains(&at.value) {
                self.out.bad(
                    file,
                    at,
                    "limit",
                    Bad::new("is out of range", format!("write 1 to {AT_ONCE_MAX}")),
                );
            }
            at.value
        };
        let at_once = one(raw.and_then(|raw| raw.at_once.as_ref()), AT_ONCE);
        let per_host = one(
            raw.and_then(|raw| raw.per_host.as_ref()),
            PER_HOST.min(at_once),
        );
        let timeout = raw.and_then(|raw| raw.timeout.as_ref());
        let timeout_ms = timeout.and_then(|at| match text::duration_ms(&at.value) {
            Ok(timeout_ms) => Some(timeout_ms),
            Err(why) => {
                self.out.bad(file, at, "timeout", why);
                None
            }
        });
        Limits {
            at_once,
            per_host,
            timeout_ms,
        }
    }

    fn handles(&mut self, file: usize, raw: &RawConnection) -> BTreeMap<String, String> {
        for (handle, _) in raw.handles.iter() {
            if handle.value == "target" {
                self.out.bad(
                    file,
                    handle,
                    "handle",
                    Bad::new("is the connection itself", "take another name"),
                );
            }
            self.format(file, handle, "handle", text::id);
        }
        raw.handles
            .iter()
            .map(|(handle, target)| (handle.value.clone(), target.value.clone()))
            .collect()
    }

    /// The realm's own ways: contract to connection.
    pub(super) fn ways(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (contract, connection) in parsed.via.iter() {
                self.id(file, contract, "contract", &mut seen);
                self.contract(file, contract);
                self.connection_exists(file, connection);
                self.estate
                    .via
                    .insert(contract.value.clone(), connection.value.clone());
            }
        }
    }
}
