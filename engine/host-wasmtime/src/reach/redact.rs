//! Takes secrets out of what goes back to a guest or to people, in the forms in which systems repeat them.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hostler_ports::connection::{Auth, ConnectionConfig};
use serde_json::Value;
use std::collections::BTreeSet;

const MARK: &str = "[redacted]";
/// A shorter secret would tear holes into ordinary text.
const SECRET_MIN_BYTES: usize = 4;
/// A line of a longer secret (a private key) that is worth finding alone.
const LINE_MIN_BYTES: usize = 16;

/// Finds some secrets.
pub struct Redactor(Option<AhoCorasick>);

impl Redactor {
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            add(&mut forms, secret);
            if secret.contains('\n') {
                secret
                    .lines()
                    .filter(|line| line.len() >= LINE_MIN_BYTES && !line.starts_with("-----"))
                    .for_each(|line| {
                        forms.insert(line.as_bytes().to_vec());
                    });
            }
        }
        if forms.is_empty() {
            return Self(None);
        }
        Self(
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&forms)
                .ok(),
        )
    }

    /// All secrets of a connection.
    #[must_use]
    pub fn of_connection(config: &ConnectionConfig) -> Self {
        let mut secrets: Vec<String> = Vec::new();
        match &config.auth {
            Auth::None => {}
            Auth::Basic { user, password } => {
                secrets.push(password.expose().to_owned());
                secrets.push(STANDARD.encode(format!("{user}:{}", password.expose())));
            }
            Auth::Header { value, .. } => {
                secrets.push(value.expose().to_owned());
                // `Bearer <token>`: the token alone, too.
                secrets.extend(
                    value
                        .expose()
                        .split_once(' ')
                        .map(|(_, token)| token.to_owned()),
                );
            }
            Auth::MutualTls { key, .. } => secrets.push(key.expose().to_owned()),
            Auth::Session(login) => {
                secrets.extend(
                    login
                        .headers
                        .values()
                        .map(|value| value.expose().to_owned()),
                );
                secrets.extend(login.body.iter().flat_map(|body| leaves(body.expose())));
            }
        }
        secrets.extend(config.ssh.iter().map(|ssh| ssh.key.expose().to_owned()));
        Self::new(secrets.iter().map(String::as_str))
    }

    #[must_use]
    pub fn text(&self, text: String) -> String {
        match &self.0 {
            Some(finder) if finder.is_match(&text) => {
                finder.replace_all(&text, &vec![MARK; finder.patterns_len()])
            }
            _ => text,
        }
    }

    /// Every text of a JSON value. A number that is a secret becomes a text.
    #[must_use]
    pub fn json(&self, value: Value) -> Value {
        if self.0.is_none() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (self.text(name), self.json(value)))
                .collect(),
            Value::Number(number) => {
                let text = number.to_string();
                let clean = self.text(text.clone());
                if clean == text {
                    Value::Number(number)
                } else {
                    Value::String(clean)
                }
            }
            other => other,
        }
    }

    #[must_use]
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match &self.0 {
            Some(finder) if finder.is_match(&bytes) => {
                finder.replace_all_bytes(&bytes, &vec![MARK; finder.patterns_len()])
            }
            _ => bytes,
        }
    }
}

/// Texts of a JSON login body whose names do not say that they are the user's name.
fn leaves(body: &str) -> Vec<String> {
    let Ok(Value::Object(fields)) = serde_json::from_str(body) else {
        return vec![body.to_owned()];
    };
    let secret = |(name, value): (String, Value)| {
        let text = value.as_str().map(str::to_owned)?;
        (!name.to_ascii_lowercase().contains("user")).then_some(text)
    };
    fields.into_iter().filter_map(secret).collect()
}

fn add(forms: &mut BTreeSet<Vec<u8>>, secret: &str) {
    if secret.len() < SECRET_MIN_BYTES {
        return;
    }
    let json = Value::from(secret).to_string();
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let texts = [
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        encoded.replace('+', "%20"),
        encoded,
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex::encode(secret),
        hex::encode_upper(secret),
    ];
    forms.extend(texts.into_iter().map(String::into_bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_taken_out() {
        let secret = "pa ss/\"w0rd\"+é";
        let redactor = Redactor::new([secret]);
        let mut forms = BTreeSet::new();
        add(&mut forms, secret);
        assert!(forms.len() >= 6);
        for form in forms {
            let text = format!("before {} after", String::from_utf8(form).unwrap());
            assert_eq!(redactor.text(text), "before [redacted] after");
        }
        assert_eq!(redactor.text("pass".into()), "pass");
    }

    #[test]
    fn json_stays_json() {
        let redactor = Redactor::new(["12345", "a\"b,c"]);
        let value = serde_json::json!({ "a\"b,c": [123456, "x a\"b,c y", 7, null] });
        assert_eq!(
            redactor.json(value),
            serde_json::json!({ "[redacted]": ["[redacted]6", "x [redacted] y", 7, null] })
        );
    }

    #[test]
    fn a_line_of_a_private_key_is_taken_out() {
        let redactor =
            Redactor::new(["-----BEGIN KEY-----\nabcdefghijklmnopqrstuvwxyz\n-----END KEY-----\n"]);
        assert_eq!(
            redactor.text("x abcdefghijklmnopqrstuvwxyz".into()),
            "x [redacted]"
        );
        assert_eq!(
            redactor.text("-----BEGIN KEY-----".into()),
            "-----BEGIN KEY-----"
        );
    }
}
