//! What runs on a server, and how that differs from before.
//!
//! Not here: any memory of earlier fingerprints; a digest carries all that a comparison needs.

use crate::{said, scripts};
use hostler_sdk::{Action, Context, Done, Meta, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// The contract's limit. A server with more to tell gets a hash: then only "the same or not" is known.
const DIGEST_MAX_BYTES: usize = 4096;
/// Differences that people are shown.
const DIFFERENCES_SHOWN: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FingerprintInput {
    /// Digest of an earlier fingerprint.
    #[serde(default)]
    compare: Option<String>,
}

#[derive(Deserialize)]
struct Seen {
    listening: BTreeSet<String>,
    failed_units: BTreeSet<String>,
    kernel: String,
}

#[derive(Serialize, JsonSchema)]
pub struct FingerprintOutput {
    digest: String,
    listening: BTreeSet<String>,
    kernel: String,
    failed_units: BTreeSet<String>,
}

pub struct Fingerprint;

impl Action for Fingerprint {
    type Input = FingerprintInput;
    type Output = FingerprintOutput;
    const META: Meta = Meta::read(
        "guest.fingerprint",
        "What runs there; rejects when it differs from before.",
    )
    .timeout_ms(120_000);

    fn perform(ctx: &mut Context<'_>, input: FingerprintInput) -> Outcome<FingerprintOutput> {
        let Done {
            output: seen,
            evidence,
        } = said::finish::<Seen>(ctx, &scripts::FINGERPRINT, &json!({}))?;
        let differences = input
            .compare
            .map_or_else(Vec::new, |before| differences(&before, &seen));
        let output = FingerprintOutput {
            digest: digest(&seen),
            listening: seen.listening,
            kernel: seen.kernel,
            failed_units: seen.failed_units,
        };
        if differences.is_empty() {
            return Ok(Done { output, evidence });
        }
        let shown: Vec<&str> = differences
            .iter()
            .take(DIFFERENCES_SHOWN)
            .map(String::as_str)
            .collect();
        Err(Stop::Reject {
            reason: format!("it is not as before: {}", shown.join(", ")),
            output: json!(output),
        })
    }
}

fn plain(seen: &Seen) -> String {
    let list = |of: &BTreeSet<String>| of.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    format!("v1|{}|{}", list(&seen.listening), list(&seen.failed_units))
}

fn digest(seen: &Seen) -> String {
    let plain = plain(seen);
    if plain.len() <= DIGEST_MAX_BYTES {
        plain
    } else {
        hash(&plain)
    }
}

fn hash(plain: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(plain)))
}

/// Sockets that are gone or new, units that fail now and did not. A unit that recovered is no fault, and
/// another kernel is what a patch is for.
fn differences(before: &str, seen: &Seen) -> Vec<String> {
    let parts: Vec<&str> = before.split('|').collect();
    let ["v1", listened, failed] = parts[..] else {
        let same = before == hash(&plain(seen));
        return if same {
            Vec::new()
        } else {
            vec!["more runs there than a digest can name, and it has changed".into()]
        };
    };
    let set = |text: &str| -> BTreeSet<String> {
        text.split(',')
            .filter(|x| !x.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (listened, failed) = (set(listened), set(failed));
    let gone = listened
        .difference(&seen.listening)
        .map(|socket| format!("{socket} no longer listens"));
    let new = seen
        .listening
        .difference(&listened)
        .map(|socket| format!("{socket} listens now"));
    let broken = seen
        .failed_units
        .difference(&failed)
        .map(|unit| format!("{unit} has failed"));
    gone.chain(new).chain(broken).collect()
}
