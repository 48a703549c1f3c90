//! What customers' people may do without, as the policies say it when it is announced.
//!
//! Not here: who has asked to be spared it (looked up where a message is handed over).

use crate::Driver;
use crate::scope::View;
use hostler_core::definition::{Definition, Step};
use hostler_core::event::Stage;
use hostler_core::expression::Dynamic;
use hostler_core::mail::{EMERGENCY, is_demanded};
use serde_json::Value;

impl Driver {
    /// Whether somebody may ask to be spared what this stage of the present step tells.
    pub(super) fn is_optional(&self, view: &View<'_>, stage: Stage) -> bool {
        let program = view.program();
        let step = program.as_ref().and_then(|program| view.step(program));
        let urgent = step.is_none_or(|step| may_be_urgent(&view.definition, step));
        !is_demanded(&self.parts.directory.must_have(), stage, urgent)
    }
}

/// Whether a step, or what it opens, is of the class `emergency`, or of one that is known at its gate only.
fn may_be_urgent(definition: &Definition, step: &Step) -> bool {
    let urgent = |step: &Step| match &step.class {
        None => definition.policy.class == EMERGENCY,
        Some(Dynamic::Literal(Value::String(class))) => class == EMERGENCY,
        Some(_) => true,
    };
    let body = step.body();
    let inner = body.map_or_else(Vec::new, |body| definition.outages(body));
    definition.policy.class == EMERGENCY || urgent(step) || inner.into_iter().any(urgent)
}
