//! Single values: texts, numbers, durations, expressions.

use super::Reader;
use crate::ast::{Dyn, Text};
use crate::codes;
use crate::read::fields::suggestion;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::definition::After;
use hostler_core::duration;
use serde_json::Value;

/// Longest title, note or question in characters.
pub const TEXT_MAX: usize = 2_000;

/// More business days are no question but a plan for the next year; calendars know their holidays so far.
const BUSINESS_DAYS_MAX: u16 = 260;

impl Reader<'_, '_> {
    pub(super) fn shape(&mut self, node: &Node, what: &str, wanted: &str) {
        self.faults.add(
            codes::WRONG_SHAPE,
            node.span,
            format!("{what} is {}", node.what()),
            format!("write {wanted}"),
        );
    }

    /// A text without expressions.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Text> {
        let Some(text) = node.text().filter(|text| !text.is_empty()) else {
            self.shape(node, what, "a text");
            return None;
        };
        if text.chars().count() > TEXT_MAX {
            self.faults.add(
                codes::OUT_OF_RANGE,
                node.span,
                format!("{what} is longer than {TEXT_MAX} characters"),
                "shorten it",
            );
        }
        self.no_braces(node, text, what);
        Some(Text {
            value: text.to_owned(),
            span: node.span,
        })
    }

    pub(super) fn no_braces(&mut self, node: &Node, text: &str, what: &str) {
        if text.contains("${{") {
            self.faults.add(
                codes::TWO_EXPRESSIONS,
                node.span,
                format!("{what} cannot be computed"),
                "write the text itself",
            );
        } else if text.contains("{{") {
            self.faults.add(
                codes::TWO_EXPRESSIONS,
                node.span,
                "`{{` lives only in notice templates",
                "use ${{ … }} for a value of the run",
            );
        }
    }

    /// A name: small letters, digits, dashes or underscores.
    pub(super) fn name(&mut self, node: &Node, what: &str) -> Option<Text> {
        let text = self.text(node, what)?;
        let fine = text.value.len() <= 64
            && text.value.starts_with(|c: char| c.is_ascii_lowercase())
            && text.value.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
            });
        if !fine {
            self.faults.add(
                codes::BAD_NAME,
                node.span,
                format!("`{}` is no name for {what}", text.value),
                "use small letters, digits, - and _, a letter first",
            );
        }
        Some(text)
    }

    /// An id that expressions can say: no dash.
    pub(super) fn id(&mut self, node: &Node, what: &str) -> Option<Text> {
        let text = self.text(node, what)?;
        self.check_id(&text, what);
        Some(text)
    }

    pub(super) fn check_id(&mut self, text: &Text, what: &str) {
        const WORDS: [&str; 12] = [
            "true", "false", "null", "in", "inputs", "steps", "wave", "round", "rounds", "run",
            "now", "previous",
        ];
        let fine = text.value.len() <= 48
            && text.value.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .value
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !fine {
            let better: String = text
                .value
                .to_lowercase()
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            self.faults.add(
                codes::BAD_NAME,
                text.span,
                format!(
                    "`{}` is no name for {what}: expressions could not say it",
                    text.value
                ),
                format!("use small letters, digits and _, a letter first: `{better}`"),
            );
        } else if WORDS.contains(&text.value.as_str()) {
            self.faults.add(
                codes::BAD_NAME,
                text.span,
                format!("`{}` has a meaning of its own in expressions", text.value),
                "choose another word",
            );
        }
    }

    pub(super) fn bool(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Some(Value::Bool(value)) = node.scalar() {
            return Some(value);
        }
        let remedy = match node.text() {
            Some("yes" | "on") => "write true",
            Some("no" | "off") => "write false",
            _ => "write true or false",
        };
        self.faults.add(
            codes::WRONG_SHAPE,
            node.span,
            format!("{what} is {}", node.what()),
            remedy,
        );
        None
    }

    pub(super) fn number(&mut self, node: &Node, what: &str, least: u32, most: u32) -> Option<u32> {
        let Some(Value::Number(number)) = node.scalar() else {
            self.shape(node, what, "a whole number");
            return None;
        };
        let found = number
            .as_u64()
            .and_then(|value| u32::try_from(value).ok())
            .filter(|value| (least..=most).contains(value));
        if found.is_none() {
            self.faults.add(
                codes::OUT_OF_RANGE,
                node.span,
                format!("{what} is {number}"),
                format!("write a whole number from {least} to {most}"),
            );
        }
        found
    }

    /// Milliseconds of a duration that must be known before the run.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<u64> {
        let Some(text) = node.text() else {
            self.shape(node, what, "a duration such as 90m or 5d");
            return None;
        };
        if text.contains("${{") {
            self.faults.add(
                codes::NE_COMPUTED,
                node.span,
                format!("this engine does not compute `{what}` yet"),
                "write a duration such as 90m or 5d",
            );
            return None;
        }
        self.duration_text(text, node.span, what)
    }

    /// A duration, or business days such as `10bd`.
    pub(super) fn after(&mut self, node: &Node, what: &str) -> Option<After> {
        let days = node.text().and_then(|text| text.strip_suffix("bd"));
        let Some(days) = days.and_then(|days| days.parse::<u32>().ok()) else {
            return self.duration(node, what).map(After::Ms);
        };
        match u16::try_from(days) {
            Ok(days) if (1..=BUSINESS_DAYS_MAX).contains(&days) => Some(After::BusinessDays(days)),
            _ => {
                self.faults.add(
                    codes::BAD_DURATION,
                    node.span,
                    format!("`{days}bd` is no number of business days that anybody waits for"),
                    format!("write 1bd to {BUSINESS_DAYS_MAX}bd"),
                );
                None
            }
        }
    }

    fn duration_text(&mut self, text: &str, span: Span, what: &str) -> Option<u64> {
        if let Some(ms) = duration::parse_ms(text) {
            return Some(ms);
        }
        let days = text
            .strip_suffix("bd")
            .and_then(|number| number.parse::<u64>().ok());
        match days {
            Some(days) => self.faults.add(
                codes::NE_BUSINESS_DAYS,
                span,
                format!("this engine does not count business days in `{what}` yet"),
                format!("write calendar days: {}d", days + 2 * days.div_ceil(5)),
            ),
            None => self.faults.add(
                codes::BAD_DURATION,
                span,
                format!("`{text}` is no duration"),
                "write a number and a unit: 250ms, 30s, 90m, 2h30m, 5d, 1w",
            ),
        }
        None
    }

    /// A duration that may be computed: a literal becomes milliseconds.
    pub(super) fn dynamic_duration(&mut self, node: &Node, what: &str) -> Dyn {
        match self.dynamic(node) {
            Dyn::Value(_, span) => {
                let ms = node
                    .text()
                    .and_then(|text| self.duration_text(text, span, what));
                ms.map_or(Dyn::Broken(span), |ms| Dyn::Value(Value::from(ms), span))
            }
            dynamic @ (Dyn::Expr(_) | Dyn::Broken(_)) => dynamic,
            Dyn::List(_, span) | Dyn::Map(_, span) => {
                self.shape(node, what, "a duration such as 90m or 5d");
                Dyn::Broken(span)
            }
        }
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let text = node.text().unwrap_or_default();
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        if text.contains("${{") {
            self.faults.add(
                codes::NE_COMPUTED,
                node.span,
                format!("this engine does not compute `{what}` yet"),
                format!("write one of {}", choices(words)),
            );
            return None;
        }
        let near = suggestion(text, words.iter().map(|(word, _)| *word))
            .map(|near| format!("did you mean `{near}`? "));
        self.faults.add(
            codes::NOT_ONE_OF,
            node.span,
            format!(
                "{what} is {}",
                if text.is_empty() {
                    node.what().to_owned()
                } else {
                    format!("`{text}`")
                }
            ),
            format!(
                "{}write one of {}",
                near.unwrap_or_default(),
                choices(words)
            ),
        );
        None
    }

    /// The items of a list; a single value counts as a list of one.
    pub(super) fn items<'n>(&mut self, node: &'n Node) -> Vec<&'n Node> {
        match &node.kind {
            Kind::List(items) => items.iter().collect(),
            _ => vec![node],
        }
    }
}

fn choices<T>(words: &[(&'static str, T)]) -> String {
    words
        .iter()
        .map(|(word, _)| *word)
        .collect::<Vec<_>>()
        .join(", ")
}
