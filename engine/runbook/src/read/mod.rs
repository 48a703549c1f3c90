//! From the YAML tree to the runbook as written. Shapes and words are checked here; what names mean
//! is checked later.

mod around;
mod choices;
mod clocks;
mod debt;
mod expression;
mod fields;
mod form;
mod header;
mod must;
mod person;
mod rules;
mod scalar;
mod spawn;
mod step;
mod waves;

use crate::ast::{Body, Runbook};
use crate::fault::Faults;
use crate::yaml::Node;
pub(crate) use fields::suggestion;

/// Most steps of one list: a run shows them on one page.
pub const STEPS_MAX: usize = 200;

pub(crate) struct Reader<'f, 's> {
    pub faults: &'f mut Faults<'s>,
    /// The text of an `undo`'s step may lack an id: this numbers them.
    pub unnamed: u32,
}

/// None only when the file is no map.
pub(crate) fn read(faults: &mut Faults<'_>, root: &Node) -> Option<Runbook> {
    Reader { faults, unnamed: 0 }.runbook(root)
}

impl Reader<'_, '_> {
    fn body(&mut self, steps: Option<&Node>, always: Option<&Node>) -> Body {
        Body {
            steps: steps
                .map(|node| self.steps(node, "steps"))
                .unwrap_or_default(),
            always: always
                .map(|node| self.steps(node, "always"))
                .unwrap_or_default(),
        }
    }
}
