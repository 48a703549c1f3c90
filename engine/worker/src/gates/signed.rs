//! What was signed against the estate of today: a call that changes something begins only on the asset, in the
//! window and over the route that the plan names.
//!
//! The estate is one reading for the life of a worker, so nothing of it can change between this look and the commit;
//! a worker that is started anew looks again. Not here: what counts as a difference (core).

use crate::Driver;
use crate::scope::View;
use hostler_core::difference::{About, Difference, choices, sentence, since};
use hostler_core::gate::{Closed, GateKind};
use hostler_core::lane::{CallSpec, Origin, Section};
use serde_json::json;

const AGAIN: &str = "start the rest again, which asks for a fresh approval (`hostler run start`), or put the estate's \
                     files back and run what was held again";

impl Driver {
    /// Nothing that was signed covers this call any more. What takes back or cleans up passes (the end of a lease is a
    /// lane of its own), and so does what only reads.
    pub(super) fn unsigned(&self, view: &View<'_>, call: &CallSpec) -> Option<Closed> {
        let opening = &view.lane.opening;
        let goes_forward = view.lane.cursor.section == Section::Main
            && matches!(opening.origin, Origin::Program(_));
        if !goes_forward || !call.effect.mutates() {
            return None;
        }
        let (directory, asset) = (&*self.parts.directory, call.asset.as_deref());
        let contract = call.action.split('.').next().unwrap_or_default();
        let mut differences = since(&view.plan, asset, contract, directory);
        differences.extend(choices(&view.plan, directory));
        differences.extend(self.replaced(call));
        let first = differences.first()?;
        Some(Closed {
            gate: GateKind::Signed,
            rule: asset.unwrap_or(&first.name).to_owned(),
            why: format!("not what was signed: {}", sentence(&differences)),
            remedy: AGAIN.to_owned(),
            until_ms: None,
            document: None,
            never: true,
        })
    }

    /// The component that was pinned is not here any more.
    fn replaced(&self, call: &CallSpec) -> Option<Difference> {
        let installed = self.parts.host.plugins();
        if installed.contains_key(&call.plugin) {
            return None;
        }
        let name = &call.route.plugin;
        let of_name = installed.iter().find(|(_, plugin)| plugin.name == *name);
        Some(Difference {
            about: About::Plugin,
            name: name.clone(),
            field: None,
            before: json!(call.plugin.short()),
            after: json!(of_name.map(|(digest, _)| digest.short())),
        })
    }
}
