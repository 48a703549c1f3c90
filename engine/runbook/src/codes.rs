//! Every code that a check can give, with what it means. A code keeps its meaning for ever; numbers
//! are never used again.

use crate::fault::Severity;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub id: &'static str,
    pub severity: Severity,
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident $id:literal $severity:ident $title:literal;)*) => {
        $(pub const $name: Code = Code { id: $id, severity: Severity::$severity, title: $title };)*
        /// All codes, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    TOO_LARGE "HR001" Error "the file or a part of it is over its limit";
    SYNTAX "HR002" Error "not YAML";
    ANCHOR "HR003" Error "anchors, aliases and merge keys are not read";
    TAG "HR004" Error "tags and directives are not read";
    DUPLICATE_KEY "HR005" Error "the same key twice";
    TOO_DEEP "HR006" Error "nested too deeply";
    ONE_DOCUMENT "HR007" Error "a file holds exactly one document";
    QUOTES "HR008" Error "an expression is torn apart because it has no quotes";
    UNKNOWN_FIELD "HR010" Error "a field that the language does not have";
    MISSING_FIELD "HR011" Error "a field that must be there";
    WRONG_SHAPE "HR012" Error "another kind of value was expected";
    BAD_NAME "HR013" Error "a name that is not one";
    DUPLICATE_STEP "HR014" Error "two steps with the same id";
    VERB "HR015" Error "a step has exactly one verb";
    BAD_DURATION "HR016" Error "not a duration";
    NOT_ONE_OF "HR017" Error "not one of the values that are possible";
    OUT_OF_RANGE "HR018" Error "a number or a text outside its limits";
    TWO_EXPRESSIONS "HR020" Error "an expression in the wrong kind of text";
    EXPRESSION "HR021" Error "an expression that cannot be read";
    UNKNOWN_NAME "HR022" Error "a name that nothing has at this place";
    UNKNOWN_STEP "HR023" Error "a step that is not there, or not yet";
    UNKNOWN_OUTPUT "HR024" Error "a field that this value does not have";
    UNGUARDED "HR025" Error "the output of a step that may have been skipped or have failed";
    TYPES "HR026" Error "types that do not fit";
    EXPRESSION_BOUNDS "HR027" Error "an expression over its bounds";
    UNKNOWN_FUNCTION "HR028" Error "a function that expressions do not have";
    NEEDS "HR030" Error "a contract that is not in needs, or is not installed";
    UNKNOWN_ACTION "HR031" Error "an action that the contract does not have";
    MISSING_INPUT "HR032" Error "an input of the action that must be given";
    UNKNOWN_INPUT "HR033" Error "an input that the action does not have";
    BAD_INPUT "HR034" Error "a value that does not fit the schema";
    NO_ASSET "HR035" Error "an action on an asset where the lane has none";
    UNUSED_NEED "HR036" Warning "a contract in needs that no step uses";
    WRONG_INVERSE "HR040" Error "an undo that is not the action's inverse";
    AGAIN_OUTSIDE "HR041" Error "again outside a repeat";
    ONCE_RETRY "HR042" Error "an action that must not be repeated blindly has a retry";
    NO_STOP "HR043" Error "changes on many assets without a rule when to stop";
    UNBOUNDED "HR044" Error "rounds without a bound";
    UNKNOWN_RUNBOOK "HR045" Error "a runbook that is not there";
    CALL_INPUT "HR046" Error "inputs that do not fit the called runbook";
    CALL_CYCLE "HR047" Error "runbooks that call each other in a circle";
    NO_BRANCH "HR048" Warning "a value of an enum for which nothing happens";
    UNREACHABLE "HR049" Error "a step that is never reached";
    LOCK_ACROSS_PERSON "HR050" Error "a lane would hold an asset's lock while it waits for people";
    TOO_SHORT "HR051" Error "something ends before what it covers";
    NO_EXPIRY "HR052" Error "people are asked without an end";
    EXPIRY_LEAVES_EFFECTS "HR053" Warning "an expiry ends the run and leaves changes that nothing takes back";
    NOBODY "HR054" Error "people that this estate does not have";
    ONLY_REQUESTER "HR055" Error "an approval that only the requester could give";
    QUORUM "HR056" Error "a quorum that cannot be reached";
    LEASE_END "HR057" Error "a lease whose end is not an action that fits";
    UNKNOWN_LEASE "HR058" Error "a lease that no step opens";
    NO_TEMPLATE "HR060" Error "a template that is not there";
    RAW_TEMPLATE "HR061" Error "text in a template that would not be escaped";
    BAD_TEMPLATE "HR062" Error "a template that cannot be rendered";
    NAME_MISMATCH "HR063" Error "name or version differ from the place of the file";
    UNUSED_INPUT "HR064" Warning "an input that nothing reads";
    UNKNOWN_LADDER "HR065" Error "a ladder that the policies do not have";
    UNKNOWN_TERMS "HR066" Error "a text that the policies do not have";
    DEBT "HR068" Error "a debt that would hold nothing, hold what cannot wait, or never end";
    LEASE_BLOCKS "HR113" Error "a lease that would block nothing, or its own lane for ever";
    NE_CLASS "HR074" Error "this engine does not enforce a class in this place yet";
    NE_NOTICE_CLOCK "HR077" Error "this engine does not enforce the notice clock yet";
    NE_DEBT "HR079" Error "this engine does not keep debts of this kind yet";
    NE_BEFORE "HR080" Error "this engine does not count an expiry back from a notice yet";
    NE_ALARM "HR082" Error "this engine does not set alarms yet";
    NE_BUSINESS_DAYS "HR084" Error "this engine does not count business days in this place yet";
    NE_FORM_RULE "HR085" Error "this engine does not check this rule of a form or an input yet";
    NE_CATALOG "HR086" Error "this engine does not read choices from elsewhere yet";
    NE_KEEP "HR087" Warning "this engine does not use keep yet";
    NE_UNDO_SEQUENCE "HR089" Error "this engine does not undo by several verbs in a row yet";
    NE_LEASE_OPTION "HR090" Error "this engine does not enforce this option of a lease yet";
    NE_COMPUTED "HR091" Error "this engine does not compute this value yet";
    NE_CALL_OPTION "HR092" Error "this engine does not enforce this option of a call yet";
    NE_WAIT_CALENDAR "HR093" Error "this engine does not wait for a time of day yet";
    NE_NOTIFY_OPTION "HR095" Error "this engine does not use this option of a message yet";
    NE_STEP_OPTION "HR096" Error "this engine does not enforce this option of this verb yet";
    HOLDS_NOTHING "HR097" Error "a term about time in a place where it would hold nothing";
    UNKNOWN_WINDOW "HR098" Error "a window that the estate does not have";
    WAVE_ORDER "HR099" Error "a wave that would open before the one ahead of it";
    UNKNOWN_CATALOG "HR112" Error "a catalog that the estate does not have";
    UNKNOWN_TRIGGERS "HR117" Error "triggers that the policies do not have";
    UNKNOWN_AMOUNT "HR118" Error "an amount that the policies do not have";
    NOT_DEFERRABLE "HR108" Error "customers may put off what cannot be put off";
    NOBODY_DEFERS "HR109" Warning "customers may put off what the policies let nobody put off";
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use std::collections::BTreeSet;

    #[test]
    fn no_number_is_used_twice() {
        let ids: BTreeSet<_> = ALL.iter().map(|code| code.id).collect();
        assert_eq!(ids.len(), ALL.len());
    }
}
