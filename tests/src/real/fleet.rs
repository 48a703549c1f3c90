//! Hosts and everything around them: monitoring, mail, and the folder with the files of one installation.
//!
//! Not here: `hostler` itself (`engine.rs`), and what is expected of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hostler_tests::lab::{
    Alertmanager, Blackbox, Family, Lab, LinuxHost, Probe, Prometheus, SmtpSink, Target,
};

use super::files;

pub const PLAIN: &str = "hostler-lab-plain";
pub const SECURE: &str = "hostler-lab-secure";
pub const KERNEL: &str = "hostler-lab-kernel";
pub const SLOW: &str = "hostler-lab-slow";

/// Places that every host is looked at from; the runbook wants two.
const VANTAGES: [&str; 2] = ["east", "west"];

/// One server of the estate.
pub struct Member {
    pub asset: &'static str,
    pub customer: &'static str,
    pub ring: &'static str,
    pub family: Family,
    /// What it has in version 1.0 at the start.
    pub packages: &'static [&'static str],
    /// Further entries of its line in the estate.
    pub more: &'static str,
}

/// A member that most of a table's rows differ little from.
pub const DEBIAN: Member = Member {
    asset: "",
    customer: "chemistry",
    ring: "rest",
    family: Family::Debian,
    packages: &[PLAIN, SECURE],
    more: "",
};

/// Running hosts with what watches them. Everything stops when it is dropped.
pub struct Fleet {
    pub hosts: BTreeMap<&'static str, LinuxHost>,
    pub alertmanager: Alertmanager,
    pub mail: SmtpSink,
    pub folder: PathBuf,
    pub lab: Lab,
    _prometheus: Prometheus,
    _vantages: Vec<Blackbox>,
}

impl Fleet {
    /// Starts all members and waits until monitoring has seen each of them well.
    pub fn start(members: &[Member]) -> Fleet {
        let lab = Lab::start().unwrap();
        let mut hosts = BTreeMap::new();
        for (n, member) in (1..).zip(members) {
            let plan = lab.linux_host(n).family(member.family);
            hosts.insert(
                member.asset,
                plan.installed(member.packages).start().unwrap(),
            );
        }
        let prometheus = Prometheus::start(&lab).unwrap();
        let vantages: Vec<Blackbox> = VANTAGES.map(|_| Blackbox::start(&lab).unwrap()).into();
        watch(&prometheus, &vantages, &hosts);
        let (alertmanager, mail) = (
            Alertmanager::start(&lab).unwrap(),
            SmtpSink::start(&lab).unwrap(),
        );
        let folder = lab.folder("installation").unwrap();
        let fleet = Fleet {
            hosts,
            alertmanager,
            mail,
            folder,
            lab,
            _prometheus: prometheus,
            _vantages: vantages,
        };
        let estate = files::estate(&fleet, members, &fleet._prometheus.url());
        fleet.write("estate.yaml", &estate);
        fleet.write("people.yaml", files::PEOPLE);
        fleet.write("tokens.toml", &files::tokens());
        let key = std::fs::read_to_string(fleet.lab.client_key()).unwrap();
        fleet.write("secrets/client", &key);
        fleet
    }

    /// A file of the installation.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn host(&self, asset: &str) -> &LinuxHost {
        &self.hosts[asset]
    }

    /// Runs a script on a host, which must succeed.
    pub fn on(&self, asset: &str, script: &str) -> String {
        let said = self.host(asset).exec(script).unwrap();
        assert_eq!(said.code, 0, "{asset}: {script}: {}{}", said.out, said.err);
        said.out.trim_end().to_owned()
    }

    /// Whether a script succeeds on a host; `None` for no, as `until` wants it.
    pub fn holds(&self, asset: &str, script: &str) -> Option<()> {
        let said = self.host(asset).exec(script).ok()?;
        (said.code == 0).then_some(())
    }
}

fn watch(
    prometheus: &Prometheus,
    vantages: &[Blackbox],
    hosts: &BTreeMap<&'static str, LinuxHost>,
) {
    let target = |asset: &&str| Target {
        instance: (*asset).to_owned(),
        up: true,
    };
    let targets: Vec<Target> = hosts.keys().map(target).collect();
    let mut probes = Vec::new();
    for (name, exporter) in VANTAGES.iter().zip(vantages) {
        let probe = |(asset, host): (&&str, &LinuxHost)| Probe {
            instance: (*asset).to_owned(),
            vantage: (*name).to_owned(),
            exporter: exporter.address(),
            host: host.address(),
        };
        probes.extend(hosts.iter().map(probe));
    }
    prometheus.set(&targets, &probes).unwrap();
}
