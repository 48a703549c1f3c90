//! Monitoring by Alertmanager and Prometheus: silences, the health gate, probes.
//!
//! Not here: alert rules, and anything that Prometheus does not know already.
#![forbid(unsafe_code)]

mod health;
mod probe;
mod prometheus;
mod reply;
mod silence;
mod silences;
mod subject;
mod time;
mod unsilence;

hostler_sdk::plugin! {
    name: "monitor-alertmanager",
    actions: [silence::Silence, unsilence::Unsilence, health::Healthy, probe::Probe],
}

#[cfg(test)]
mod tests;
