//! Mail as configured, and messages from templates.

use crate::config::{Bounces, Mail};
use anyhow::{Context, bail};
use hostler_channel_mail::render::Templates;
use hostler_channel_mail::{Dkim, Login, MailChannel, Security, Sender, SmtpConfig, calendar};
use hostler_ports::channel::{Compose, Composed, Draft, ReturnTag};
use hostler_ports::clock::{Clock, Ids};
use hostler_worker::Links;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest address that begins a link.
const URL_MAX_BYTES: usize = 200;
/// Longest secret or certificate file.
const FILE_MAX_BYTES: u64 = 64 * 1024;

pub fn channel(
    (mail, bounces): (&Mail, &Bounces),
    at_once: usize,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<MailChannel> {
    let security = match mail.security.as_str() {
        "tls" => Security::Tls,
        "starttls" => Security::StartTls,
        "plain" => Security::Plain,
        other => bail!("mail.security is {other:?}: write starttls, tls or plain"),
    };
    let login = if mail.user.is_empty() {
        None
    } else {
        let password = file(&mail.password_file).context("mail.password_file")?;
        Some(Login {
            user: mail.user.clone(),
            password: password.trim_end().to_owned(),
        })
    };
    let authority_pem = if mail.authority_file.is_empty() {
        None
    } else {
        Some(file(&mail.authority_file).context("mail.authority_file")?)
    };
    let config = SmtpConfig {
        host: mail.host.clone(),
        port: mail.port,
        security,
        plain_beyond_loopback: false,
        login,
        authority_pem,
        hello_name: mail.hello_name.clone(),
        timeout_ms: mail.timeout_ms,
        at_once: at_once.max(1),
    };
    let sender = Sender {
        name: mail.from_name.clone(),
        address: mail.from_address.clone(),
        reply_to: Some(mail.reply_to.clone()).filter(|reply_to| !reply_to.is_empty()),
        list_id: mail.list_id.clone(),
        return_path: Some(bounces.recipient.clone()).filter(|address| !address.is_empty()),
        // With the key, where there is one.
        signs: false,
    };
    let channel = MailChannel::new(config, sender, clock)?;
    Ok(match dkim(mail)? {
        Some(dkim) => channel.signing(dkim),
        None => channel,
    })
}

/// The key that signs; none where none is configured.
fn dkim(mail: &Mail) -> anyhow::Result<Option<Dkim>> {
    match (mail.dkim_selector.as_str(), mail.dkim_key_file.as_str()) {
        ("", "") => Ok(None),
        ("", _) => bail!("mail.dkim_key_file needs mail.dkim_selector: where its public half lies"),
        (_, "") => bail!("mail.dkim_selector needs mail.dkim_key_file: the key that signs"),
        (selector, path) => {
            let pem = file(path).context("mail.dkim_key_file")?;
            let domain = mail.from_address.rsplit('@').next().unwrap_or_default();
            let dkim = Dkim::new(domain, selector, &pem).context("mail.dkim_key_file")?;
            Ok(Some(dkim))
        }
    }
}

/// Links of messages that ask, or that people need not have; none where nobody said where people reach the engine.
///
/// # Errors
/// For what no browser could open.
pub fn links(
    public_url: &str,
    bounces: &Bounces,
    ids: Arc<dyn Ids>,
) -> anyhow::Result<Option<Links>> {
    let base = public_url.trim_end_matches('/');
    if base.is_empty() {
        return Ok(None);
    }
    let plain = |letter: char| letter.is_ascii_graphic() && !"?#<>\"".contains(letter);
    let rest = base
        .strip_prefix("https://")
        .or(base.strip_prefix("http://"));
    if rest.is_none_or(str::is_empty) || base.len() > URL_MAX_BYTES || !base.chars().all(plain) {
        bail!(
            "server.public_url is {public_url:?}: write https://name, without anything behind ? or #"
        );
    }
    let base = base.to_owned();
    // Only where what comes there is taken.
    let is_taken = !bounces.listen.is_empty() && !bounces.recipient.is_empty();
    let leave = is_taken.then(|| bounces.recipient.clone());
    Ok(Some(Links { base, leave, ids }))
}

/// The chance of which tags are made; none where messages come back to one address.
///
/// # Errors
/// Where there is no address, or no room in it.
pub fn tags(bounces: &Bounces, ids: Arc<dyn Ids>) -> anyhow::Result<Option<Arc<dyn Ids>>> {
    if !bounces.tags {
        return Ok(None);
    }
    let tag = ReturnTag::new([ids.fresh(), ids.fresh()]);
    if tag.beside(&bounces.recipient).is_none() {
        bail!("bounces.tags needs bounces.recipient, with 31 letters before its @ at most");
    }
    Ok(Some(ids))
}

pub fn file(path: &str) -> anyhow::Result<String> {
    if path.is_empty() {
        bail!("names no file");
    }
    let size = std::fs::metadata(Path::new(path))
        .with_context(|| path.to_owned())?
        .len();
    if size > FILE_MAX_BYTES {
        bail!("{path} has more than {FILE_MAX_BYTES} bytes");
    }
    std::fs::read_to_string(path).with_context(|| path.to_owned())
}

/// Renders by the templates of a definition. The last set stays compiled: messages of one run come
/// together.
#[derive(Default)]
pub struct Renderer {
    last: Mutex<Option<Arc<Compiled>>>,
}

struct Compiled {
    sources: BTreeMap<String, String>,
    templates: Templates,
}

impl Renderer {
    fn compiled(&self, sources: &BTreeMap<String, String>) -> Result<Arc<Compiled>, String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = last.as_ref()
            && kept.sources == *sources
        {
            return Ok(Arc::clone(kept));
        }
        let templates = Templates::compile(sources).map_err(|fault| fault.to_string())?;
        let compiled = Arc::new(Compiled {
            sources: sources.clone(),
            templates,
        });
        *last = Some(Arc::clone(&compiled));
        Ok(compiled)
    }
}

impl Compose for Renderer {
    fn compose(&self, draft: &Draft) -> Result<Composed, String> {
        let compiled = self.compiled(&draft.templates)?;
        let rendered = compiled
            .templates
            .render_value(&draft.template, &draft.context);
        let rendered = rendered.map_err(|fault| fault.to_string())?;
        let entry = draft.calendar.as_ref().map(calendar::file);
        let calendar = entry.transpose().map_err(|fault| fault.to_string())?;
        Ok(Composed {
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            calendar,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemIds;

    #[test]
    fn links_begin_where_people_reach_the_engine_and_nothing_else_is_taken() {
        let base = |url: &str| {
            links(url, &Bounces::default(), Arc::new(SystemIds))
                .map(|links| links.map(|links| links.base))
        };
        assert_eq!(base("").unwrap(), None);
        let plain = Some("https://runs.example/h".to_owned());
        assert_eq!(base("https://runs.example/h/").unwrap(), plain);
        for wrong in [
            "runs.example",
            "https://",
            "https://a b",
            "javascript:x",
            "https://a?x=1",
        ] {
            let fault = base(wrong).unwrap_err().to_string();
            assert!(fault.contains("server.public_url"), "{fault}");
        }
    }

    #[test]
    fn the_address_of_reports_has_tags_where_they_fit_and_people_write_to_it_where_mail_is_taken() {
        let leave = |listen: &str| {
            let bounces = Bounces {
                recipient: "bounces@runs.example".to_owned(),
                listen: listen.to_owned(),
                ..Bounces::default()
            };
            let links = links("https://runs.example", &bounces, Arc::new(SystemIds));
            links.unwrap().unwrap().leave
        };
        let tags = |recipient: &str, tags: bool| {
            let recipient = recipient.to_owned();
            let bounces = Bounces {
                recipient,
                tags,
                ..Bounces::default()
            };
            super::tags(&bounces, Arc::new(SystemIds)).map(|tags| tags.is_some())
        };
        assert!(!tags("", false).unwrap() && tags("bounces@runs.example", true).unwrap());
        assert!(tags("", true).is_err());
        assert!(tags(&format!("{}@runs.example", "b".repeat(32)), true).is_err());
        assert_eq!(leave(""), None);
        assert_eq!(
            leave("127.0.0.1:2526").as_deref(),
            Some("bounces@runs.example")
        );
    }
}
