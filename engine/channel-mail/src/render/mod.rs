//! Templates of notices → subject, text and HTML. Pure: the same context, the same bytes.
//!
//! A template is `<name>.subject`, `<name>.text` and (if it has one) `<name>.html`. Only paths,
//! `if`, `unless` and `each` exist. Not here: files, time, what a context must contain.

mod agree;
mod asked;
mod check;
mod condition;
mod context;
mod defer;
mod fault;
mod follow;
mod lease;
mod output;
mod progress;
mod reminder;

pub use context::{Change, Context, Ended, Named, Progress, Reference, Title, Waiting, When};
pub use fault::RenderFault;

use handlebars::{Handlebars, RenderErrorReason, Template};
use hostler_core::mail::{ASKED, LEASE_ENDS, REMINDER};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Longest rendered part.
pub const OUTPUT_MAX_BYTES: usize = 256 * 1024;
/// Longest template; the longest that people write has a hundredth of it.
pub const TEMPLATE_MAX_BYTES: usize = 64 * 1024;
/// Templates of one runbook.
pub const TEMPLATES_MAX: usize = 200;
/// Longer subjects are cut: mail programs show a third of it.
const SUBJECT_MAX_CHARACTERS: usize = 200;

/// A rendered message, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: String,
    /// Empty when the template has no HTML.
    pub html: String,
}

/// Compiled templates of one runbook version.
pub struct Templates {
    text: Handlebars<'static>,
    html: Handlebars<'static>,
    names: BTreeSet<String>,
}

impl Templates {
    /// Compiles all templates by their full names (`maintenance.subject`).
    ///
    /// # Errors
    /// With the first template that does not parse, is too long, or uses what is not allowed.
    pub fn compile(sources: &BTreeMap<String, String>) -> Result<Self, RenderFault> {
        if sources.len() > TEMPLATES_MAX {
            return Err(RenderFault::new(
                "",
                format!("there are more than {TEMPLATES_MAX} templates"),
                "remove some",
            ));
        }
        let mut templates = Self {
            text: registry(output::text_value),
            html: registry(output::html_value),
            names: BTreeSet::new(),
        };
        for (name, source) in sources {
            templates.add(name, source)?;
        }
        for name in &templates.names {
            for part in ["subject", "text"] {
                if !sources.contains_key(&format!("{name}.{part}")) {
                    return Err(RenderFault::new(
                        name,
                        format!("`{name}.{part}` is missing"),
                        "write that template",
                    ));
                }
            }
        }
        Ok(templates)
    }

    fn add(&mut self, name: &str, source: &str) -> Result<(), RenderFault> {
        let unknown = || {
            RenderFault::new(
                name,
                "is no part of a message".to_owned(),
                "name it `<name>.subject`, `.text` or `.html`",
            )
        };
        let (stem, part) = name.rsplit_once('.').ok_or_else(unknown)?;
        if source.len() > TEMPLATE_MAX_BYTES {
            return Err(RenderFault::new(
                name,
                format!("is longer than {TEMPLATE_MAX_BYTES} bytes"),
                "shorten it",
            ));
        }
        let template = Template::compile_with_name(source, name.to_owned())
            .map_err(|error| fault::syntax(name, &error))?;
        let registry = match part {
            "subject" | "text" => &mut self.text,
            "html" => &mut self.html,
            _ => return Err(unknown()),
        };
        check::template(name, part == "html", &template)?;
        registry.register_template(name, template);
        self.names.insert(stem.to_owned());
        Ok(())
    }

    /// Names of messages, without their parts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Renders one message.
    ///
    /// # Errors
    /// When there is no such template, a field is missing (the fault names it), a part becomes too
    /// long, or subject or text come out empty.
    pub fn render(&self, name: &str, context: &Context) -> Result<Rendered, RenderFault> {
        let value = serde_json::to_value(context)
            .map_err(|error| RenderFault::new(name, error.to_string(), "mend the context"))?;
        self.render_value(name, &value)
    }

    /// As `render`, with any JSON object.
    ///
    /// # Errors
    /// As `render`.
    pub fn render_value(&self, name: &str, context: &Value) -> Result<Rendered, RenderFault> {
        if name.starts_with(ASKED) {
            return asked::render(name, context);
        }
        if name == LEASE_ENDS {
            return lease::render(name, context);
        }
        if name.starts_with(REMINDER) {
            return reminder::render(name, context);
        }
        if !self.names.contains(name) && follow::is_follow(name) {
            let rendered = follow::render(name, context)?;
            return Ok(agree::with_way(rendered, context));
        }
        if !self.names.contains(name) && progress::is_progress(name) {
            return progress::render(name, context);
        }
        if !self.names.contains(name) {
            let known = self.names.iter().cloned().collect::<Vec<_>>().join(", ");
            return Err(RenderFault::new(
                name,
                "there is no such template".to_owned(),
                &format!("known: {known}"),
            ));
        }
        let html_name = format!("{name}.html");
        let html = match self.html.has_template(&html_name) {
            true => one(&self.html, &html_name, context)?,
            false => String::new(),
        };
        let subject = output::one_line(
            &one(&self.text, &format!("{name}.subject"), context)?,
            SUBJECT_MAX_CHARACTERS,
        );
        let text = output::clean(&one(&self.text, &format!("{name}.text"), context)?);
        for (part, content) in [("subject", &subject), ("text", &text)] {
            if content.trim().is_empty() {
                let message = "comes out empty".to_owned();
                return Err(RenderFault::new(
                    &format!("{name}.{part}"),
                    message,
                    "no empty message is sent: write something outside of conditions",
                ));
            }
        }
        let rendered = Rendered {
            subject,
            text,
            html,
        };
        let rendered = defer::with_way(rendered, context);
        Ok(agree::with_way(rendered, context))
    }
}

fn registry(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.set_prevent_indent(true);
    registry.register_escape_fn(escape);
    registry.register_helper("if", Box::new(condition::Condition { holds_when: true }));
    registry.register_helper(
        "unless",
        Box::new(condition::Condition { holds_when: false }),
    );
    registry
}

fn one(registry: &Handlebars<'static>, name: &str, context: &Value) -> Result<String, RenderFault> {
    let mut bounded = output::Bounded::new(OUTPUT_MAX_BYTES);
    match registry.render_to_write(name, context, &mut bounded) {
        Ok(()) => bounded.into_text().ok_or_else(|| too_long(name)),
        Err(_) if bounded.overflowed() => Err(too_long(name)),
        Err(error) => Err(match error.reason() {
            RenderErrorReason::MissingVariable(field) => {
                fault::missing(name, field.as_deref(), &error)
            }
            reason => RenderFault::new(name, reason.to_string(), "mend the template")
                .at(error.line_no, error.column_no),
        }),
    }
}

fn too_long(name: &str) -> RenderFault {
    RenderFault::new(
        name,
        format!("comes out longer than {OUTPUT_MAX_BYTES} bytes"),
        "write less for each item",
    )
}
