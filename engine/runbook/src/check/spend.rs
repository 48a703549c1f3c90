//! Amounts of the policies, from which on more people are asked: `policy.spend.dean_cents`.
//!
//! Not here: what an amount is (the policies), and which one a run keeps (its plan).

use super::Checker;
use super::types::Ty;
use crate::codes;
use crate::read::suggestion;
use crate::source::Span;

impl Checker<'_, '_, '_> {
    /// One amount, by its name. What is only computed could not be looked for before the run.
    pub(super) fn amount(&mut self, span: Span, name: Option<&str>) -> Ty {
        let Some(name) = name else {
            let message = "an amount of the policies is named in the text";
            let remedy = "write policy.spend.<name>";
            self.faults
                .add(codes::UNKNOWN_AMOUNT, span, message, remedy);
            return Ty::Number;
        };
        let env = self.env;
        let estate = env.estate.as_ref();
        let policies = estate.and_then(|estate| estate.policies.as_ref());
        if let Some(policies) = policies.filter(|policies| !policies.amounts.contains(name)) {
            let near = suggestion(name, policies.amounts.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let message = format!("the policies have no amount `{name}`");
            let remedy = format!("{near}add it to spend.yaml of the policies");
            self.faults
                .add(codes::UNKNOWN_AMOUNT, span, message, remedy);
        }
        self.spend.insert(name.to_owned());
        Ty::Number
    }
}
