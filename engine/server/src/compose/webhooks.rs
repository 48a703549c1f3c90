//! Hooks as configured, beside mail: each stands for one address, everything else is a letter.
//!
//! Not here: where a hook may go, and what is sent.

use super::mail;
use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use hostler_channel_webhook::{Form, Hook, Network, WebhookChannel};
use hostler_ports::channel::{Channel, Delivery, Message};
use hostler_ports::clock::Clock;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most hooks of one engine.
const HOOKS_MAX: usize = 200;
/// The shortest key that nobody guesses, in bytes.
const KEY_BYTES_MIN: usize = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    hooks: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// As the estate writes it in `mail`.
    address: String,
    url_file: String,
    form: String,
    #[serde(default)]
    key_file: String,
    #[serde(default)]
    networks: Vec<String>,
    #[serde(default)]
    plain: bool,
    #[serde(default = "timeout_ms")]
    timeout_ms: u64,
}

fn timeout_ms() -> u64 {
    10_000
}

/// Mail, and a hook for some addresses.
struct Ways {
    mail: Arc<dyn Channel>,
    /// By address, in lower case.
    hooks: BTreeMap<String, WebhookChannel>,
}

impl Ways {
    fn way(&self, address: &str) -> &dyn Channel {
        let hook = self.hooks.get(&address.to_ascii_lowercase());
        hook.map_or(&*self.mail, |hook| hook as &dyn Channel)
    }
}

#[async_trait]
impl Channel for Ways {
    async fn deliver(&self, message: &Message) -> Delivery {
        self.way(&message.to_address).deliver(message).await
    }

    fn is_private(&self, to_address: &str) -> bool {
        self.way(to_address).is_private(to_address)
    }
}

/// Mail with the hooks of a file beside it; without a file mail alone.
///
/// # Errors
/// With the first hook that cannot be used, and why.
pub fn beside(
    mail: Arc<dyn Channel>,
    file: &str,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Channel>> {
    if file.is_empty() {
        return Ok(mail);
    }
    let hooks = read(&mail::file(file)?, clock).with_context(|| file.to_owned())?;
    Ok(Arc::new(Ways { mail, hooks }))
}

fn read(text: &str, clock: &Arc<dyn Clock>) -> anyhow::Result<BTreeMap<String, WebhookChannel>> {
    let file: File = toml::from_str(text)?;
    if file.hooks.len() > HOOKS_MAX {
        bail!(
            "it has {} hooks, at most {HOOKS_MAX} are read",
            file.hooks.len()
        );
    }
    let mut hooks = BTreeMap::new();
    for entry in file.hooks {
        let address = entry.address.to_ascii_lowercase();
        let channel = channel(&entry, clock).with_context(|| format!("the hook of {address}"))?;
        if hooks.insert(address.clone(), channel).is_some() {
            bail!("two hooks stand for {address}: keep one");
        }
    }
    Ok(hooks)
}

fn channel(entry: &Entry, clock: &Arc<dyn Clock>) -> anyhow::Result<WebhookChannel> {
    let form = Form::parse(&entry.form);
    let form =
        form.with_context(|| format!("form {:?}: write slack, teams or json", entry.form))?;
    let networks = entry.networks.iter().map(|text| text.parse());
    let networks: Result<Vec<Network>, String> = networks.collect();
    let key = match entry.key_file.as_str() {
        "" => None,
        path => Some(
            mail::file(path)
                .context("key_file")?
                .trim()
                .as_bytes()
                .to_vec(),
        ),
    };
    if key.as_ref().is_some_and(|key| key.len() < KEY_BYTES_MIN) {
        bail!(
            "key_file has less than {KEY_BYTES_MIN} bytes: make a key with `openssl rand -hex 32`"
        );
    }
    let hook = Hook {
        url: mail::file(&entry.url_file).context("url_file")?,
        form,
        key,
        networks: networks.map_err(|fault| anyhow!("networks: {fault}"))?,
        plain: entry.plain,
        timeout_ms: entry.timeout_ms,
    };
    Ok(WebhookChannel::new(hook, Arc::clone(clock))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    const EXAMPLE: &str = include_str!("../../../channel-webhook/examples/webhooks.toml");

    fn clock() -> Arc<dyn Clock> {
        Arc::new(SystemClock::new())
    }

    /// The example with its files in a folder of the test.
    fn example(folder: &std::path::Path, url: &str) -> String {
        let (address, key) = (folder.join("url"), folder.join("key"));
        std::fs::write(&address, url).unwrap();
        std::fs::write(&key, "k".repeat(32)).unwrap();
        let text = EXAMPLE.replace("secrets/chem-room.url", &address.display().to_string());
        text.replace("secrets/chem-room.key", &key.display().to_string())
    }

    #[test]
    fn the_example_is_read_and_a_room_is_not_private() {
        let folder = tempfile::tempdir().unwrap();
        let text = example(
            folder.path(),
            "https://hooks.chat.example/services/T0/B0/secret\n",
        );
        let hooks = read(&text, &clock()).unwrap();
        let addresses: Vec<_> = hooks.keys().collect();
        assert_eq!(addresses, ["maintenance-room@chem.example"]);
        let mail: Arc<dyn Channel> = Arc::new(Letters);
        let ways = Ways { mail, hooks };
        assert!(!ways.is_private("Maintenance-Room@chem.example"));
        assert!(ways.is_private("ada@chem.example"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let good = example(folder.path(), "https://hooks.chat.example/x");
        let fault = |text: &str| format!("{:#}", read(text, &clock()).err().unwrap());
        let twice = format!(
            "{good}\n[[hooks]]{}",
            good.split_once("[[hooks]]").unwrap().1
        );
        assert!(
            fault(&twice).contains("two hooks stand for"),
            "{}",
            fault(&twice)
        );
        assert!(fault(&good.replace("\"slack\"", "\"irc\"")).contains("teams or json"));
        assert!(fault(&good.replace("form =", "from =")).contains("from"));
        assert!(
            fault(&good.replace("networks = []", "networks = [\"10.0.0.0/40\"]"))
                .contains("10.1.2.0/24")
        );
        let http = example(folder.path(), "http://hooks.chat.example/x");
        assert!(fault(&http).contains("https"), "{}", fault(&http));
    }

    struct Letters;

    #[async_trait]
    impl Channel for Letters {
        async fn deliver(&self, _: &Message) -> Delivery {
            Delivery::Deferred {
                answer: String::new(),
            }
        }
    }
}
