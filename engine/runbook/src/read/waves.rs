//! How many children at once, in which waves, and when to stop.

use super::Reader;
use super::fields::{Fields, suggestion};
use super::spawn::ITEMS_MAX;
use crate::ast::Wave;
use crate::codes;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::definition::{AtOnce, PerGroup, Ramp, StopAt, WaveLimit};

/// Most children of one step that live at the same time.
const AT_ONCE_MAX: u32 = 1_000;
/// Attributes of an asset by which children may be grouped.
const GROUPS: [&str; 8] = [
    "redundancy_group",
    "hypervisor",
    "parent",
    "customer",
    "platform",
    "connection",
    "window",
    "ring",
];

impl Reader<'_, '_> {
    pub(super) fn at_once(&mut self, node: &Node) -> Option<AtOnce> {
        if let Kind::Map(_) = &node.kind {
            let mut fields = Fields::of(self, node, "at_once")?;
            let ramp = fields
                .need(self, "ramp", "[1, 2, 4]")
                .and_then(|node| self.ramp(node));
            let per = fields
                .take("per")
                .map(|node| self.per(node))
                .unwrap_or_default();
            fields.finish(self);
            return Some(AtOnce { ramp: ramp?, per });
        }
        Some(AtOnce {
            ramp: self.ramp(node)?,
            per: Vec::new(),
        })
    }

    fn ramp(&mut self, node: &Node) -> Option<Ramp> {
        if let Kind::List(items) = &node.kind {
            let stages: Vec<u32> = items
                .iter()
                .filter_map(|item| self.number(item, "at_once", 1, AT_ONCE_MAX))
                .collect();
            if stages.is_empty()
                || stages.len() != items.len()
                || stages.windows(2).any(|pair| pair[1] <= pair[0])
            {
                self.faults.add(
                    codes::OUT_OF_RANGE,
                    node.span,
                    "a ramp must rise",
                    "write it as in [1, 2, 4, 10]",
                );
                return None;
            }
            return Some(Ramp::Stages(stages));
        }
        match self.percent(node, "at_once") {
            Some(percent) => Some(Ramp::Percent(percent?)),
            None => self
                .number(node, "at_once", 1, AT_ONCE_MAX)
                .map(Ramp::Fixed),
        }
    }

    /// `20%`: none when the text has no percent sign, some none when the number is wrong.
    fn percent(&mut self, node: &Node, what: &str) -> Option<Option<u32>> {
        let text = node.text()?.strip_suffix('%')?;
        let percent = text
            .parse()
            .ok()
            .filter(|percent| (1..=100).contains(percent));
        if percent.is_none() {
            self.faults.add(
                codes::OUT_OF_RANGE,
                node.span,
                format!("{what} is {text}%"),
                "write 1% to 100%",
            );
        }
        Some(percent)
    }

    fn per(&mut self, node: &Node) -> Vec<PerGroup> {
        let Kind::Map(entries) = &node.kind else {
            self.shape(node, "per", "a map such as { redundancy_group: 1 }");
            return Vec::new();
        };
        entries
            .iter()
            .filter_map(|(key, value)| {
                self.group(&key.text, key.span);
                let limit = self.number(value, &key.text, 1, AT_ONCE_MAX)?;
                Some(PerGroup {
                    attribute: key.text.clone(),
                    limit,
                })
            })
            .collect()
    }

    fn group(&mut self, name: &str, span: Span) {
        if !GROUPS.contains(&name) {
            let near = suggestion(name, GROUPS)
                .map(|near| format!("did you mean `{near}`? "))
                .unwrap_or_default();
            self.faults.add(
                codes::NOT_ONE_OF,
                span,
                format!("assets are not grouped by `{name}`"),
                format!("{near}write one of {}", GROUPS.join(", ")),
            );
        }
    }

    pub(super) fn stop_at(&mut self, node: &Node, waves: &[Wave]) -> Option<(StopAt, Span)> {
        let mut stop = StopAt::default();
        if !matches!(node.kind, Kind::Map(_)) {
            match self.percent(node, "stop_at") {
                Some(percent) => stop.percent = Some(percent?),
                None => stop.count = Some(self.number(node, "stop_at", 1, ITEMS_MAX)?),
            }
            return Some((stop, node.span));
        }
        let mut fields = Fields::of(self, node, "stop_at")?;
        stop.count = fields
            .take("count")
            .and_then(|node| self.number(node, "count", 1, ITEMS_MAX));
        stop.percent = fields
            .take("percent")
            .and_then(|node| self.number(node, "percent", 1, 100));
        stop.after = fields
            .take("after")
            .and_then(|node| self.number(node, "after", 0, ITEMS_MAX))
            .unwrap_or(0);
        stop.consecutive = fields
            .take("consecutive")
            .and_then(|node| self.number(node, "consecutive", 1, ITEMS_MAX));
        for (key, value) in fields.rest() {
            let limit = self.number(value, &key.text, 1, ITEMS_MAX);
            if let Some(name) = key.text.strip_prefix("wave.") {
                if !waves.iter().any(|wave| wave.name.value == name) {
                    self.faults.add(
                        codes::UNKNOWN_NAME,
                        key.span,
                        format!("there is no wave `{name}`"),
                        "name a wave of `order`",
                    );
                }
                stop.waves
                    .extend(limit.map(|limit| (name.to_owned(), limit)));
            } else if GROUPS.contains(&key.text.as_str()) {
                stop.per.extend(limit.map(|limit| PerGroup {
                    attribute: key.text.clone(),
                    limit,
                }));
            } else {
                let known = ["count", "percent", "after", "consecutive"];
                let remedy = suggestion(&key.text, known.into_iter().chain(GROUPS))
                    .map_or_else(|| "stop_at has: count, percent, after, consecutive, wave.<name>, a group such as customer".to_owned(), |near| format!("did you mean `{near}`?"));
                self.faults.add(
                    codes::UNKNOWN_FIELD,
                    key.span,
                    format!("stop_at has no field `{}`", key.text),
                    remedy,
                );
            }
        }
        Some((stop, node.span))
    }

    pub(super) fn waves(&mut self, node: &Node) -> Vec<Wave> {
        let mut waves: Vec<Wave> = Vec::new();
        for item in self.items(node) {
            let Some(wave) = self.wave(item) else {
                continue;
            };
            if waves
                .iter()
                .any(|known| known.name.value == wave.name.value)
            {
                self.faults.add(
                    codes::DUPLICATE_STEP,
                    wave.name.span,
                    format!("a second wave `{}`", wave.name.value),
                    "give it another name",
                );
            }
            if let Some(all) = waves
                .iter()
                .find(|known| known.matches.is_none() && known.take.is_none())
            {
                let message = format!(
                    "nothing is left for this wave: `{}` takes all",
                    all.name.value
                );
                self.faults.add(
                    codes::UNREACHABLE,
                    wave.name.span,
                    message,
                    "put the wave without `match` and `take` last",
                );
            }
            waves.push(wave);
        }
        waves
    }

    fn wave(&mut self, node: &Node) -> Option<Wave> {
        let mut fields = Fields::of(self, node, "a wave")?;
        let name = fields
            .need(self, "wave", "canary")
            .and_then(|node| self.id(node, "a wave"));
        let matches = fields
            .take("match")
            .and_then(|node| self.text(node, "match"));
        let take = fields
            .take("take")
            .and_then(|node| match self.percent(node, "take") {
                Some(percent) => percent.map(WaveLimit::Percent),
                None => self
                    .number(node, "take", 1, ITEMS_MAX)
                    .map(WaveLimit::Count),
            });
        let soak = fields
            .take("soak")
            .map(|node| self.dynamic_duration(node, "soak"));
        let opens = fields.take("opens").and_then(|node| self.opens(node));
        fields.finish(self);
        Some(Wave {
            name: name?,
            matches,
            take,
            soak,
            opens,
        })
    }
}
