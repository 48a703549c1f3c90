//! What the hosts and the servers beside them say about a cycle that is over.
//!
//! Not here: what `hostler` says about itself, but for the evidence that is compared with it.

use std::collections::BTreeMap;

use hostler_tests::lab::Mail;
use serde_json::Value;

use super::fleet::Fleet;

/// `asset package` to version, for every package of the lab.
pub type Versions = BTreeMap<(String, String), String>;

const LIST: &str = "if command -v dpkg-query >/dev/null; then \
    dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' 'hostler-lab-*'; else \
    rpm -qa --qf '%{NAME} %{VERSION} installed\\n' 'hostler-lab-*'; fi";

/// What is installed on every host, from its own package database.
pub fn versions(fleet: &Fleet) -> Versions {
    let mut versions = Versions::new();
    for asset in fleet.hosts.keys() {
        for line in fleet.on(asset, LIST).lines() {
            // What the roots are built from stays as it is.
            if line.starts_with("hostler-lab-base ") {
                continue;
            }
            let [name, version, status] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{asset}: {line}");
            };
            let shown = if status == "installed" {
                version.to_owned()
            } else {
                format!("{version} ({status})")
            };
            versions.insert(((*asset).to_owned(), name.to_owned()), shown);
        }
    }
    versions
}

/// Before and after side by side, for people.
pub fn show(before: &Versions, after: &Versions) {
    println!("\n{:<12} {:<22} {:<8} after", "server", "package", "before");
    for ((asset, package), version) in before {
        let now = after
            .get(&(asset.clone(), package.clone()))
            .map_or("gone", String::as_str);
        println!("{asset:<12} {package:<22} {version:<8} {now}");
    }
}

/// How often the package manager of a Debian host has brought a package to a newer version.
pub fn upgrades(fleet: &Fleet, asset: &str, package: &str) -> usize {
    let log = fleet.on(asset, "cat /var/log/dpkg.log");
    log.lines()
        .filter(|line| line.contains(&format!(" upgrade {package}:")))
        .count()
}

/// Silences by asset: state and id, as the Alertmanager knows them.
pub fn silences(fleet: &Fleet) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for silence in fleet.alertmanager.silences().unwrap() {
        assert_eq!(silence["createdBy"], "hostler", "{silence}");
        let comment = silence["comment"].as_str().unwrap();
        let asset = comment
            .split(' ')
            .find_map(|word| word.strip_prefix("asset="))
            .unwrap();
        let state = silence["status"]["state"].as_str().unwrap();
        found
            .entry(asset.to_owned())
            .or_default()
            .push(state.to_owned());
    }
    found
}

/// Messages whose subject begins so and that went to this address.
pub fn mails<'m>(mails: &'m [Mail], subject: &str, to: &str) -> Vec<&'m Mail> {
    let begins = |mail: &&Mail| {
        let line = mail
            .text
            .lines()
            .find_map(|line| line.strip_prefix("Subject: "));
        line.is_some_and(|line| line.starts_with(subject)) && mail.to == [to]
    };
    mails.iter().filter(begins).collect()
}

/// The kinds of the parts of a message, in order.
pub fn parts(mail: &Mail) -> Vec<String> {
    let kinds = mail.text.lines().filter_map(|line| {
        let line = line.trim_end().to_ascii_lowercase();
        let kind = line
            .strip_prefix("content-type: ")?
            .split(';')
            .next()?
            .trim()
            .to_owned();
        Some(kind)
    });
    kinds
        .filter(|kind| !kind.starts_with("multipart/"))
        .collect()
}

/// Changes in the evidence: `asset package` to versions before and after.
pub fn changes(evidence: &Value) -> BTreeMap<(String, String), (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let change = |change: &Value| {
        let name = text(&change["name"]);
        // dnf names the architecture, and versions carry a release.
        let name = name.strip_suffix(".noarch").unwrap_or(&name).to_owned();
        let bare = |version: String| version.split('-').next().unwrap_or_default().to_owned();
        (
            (text(&change["asset"]), name),
            (bare(text(&change["from"])), bare(text(&change["to"]))),
        )
    };
    evidence["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(change)
        .collect()
}
