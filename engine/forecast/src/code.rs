//! Codes of what stands in a cycle's way. Stable: a code never gets another meaning.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $code:literal $title:literal;)*) => {
        /// What kind of thing stands in the way.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// `HF005`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// A few words for a heading.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    NoWindow "HF001" "no window";
    NeverOpens "HF002" "no window opens in this cycle";
    Frozen "HF003" "no window before the freeze ends";
    TooLong "HF004" "work longer than any window";
    Lead "HF005" "lead cannot be kept";
    OverflowUsed "HF006" "overflow used up";
    NoRoom "HF007" "no room before the next cycle";
    PairTooLong "HF008" "redundancy group does not fit one after the other";
    KeepsAll "HF009" "redundancy group lets nobody go down";
    SoakOverlap "HF010" "waves overlap in soak";
    WaveTooLate "HF011" "wave opens after the next cycle begins";
    NoWave "HF012" "in no wave";
    ApproversAway "HF013" "every approver absent";
    ApprovalLate "HF014" "approval comes after the notice had to leave";
    NoApprover "HF015" "nobody may approve";
    NobodyToTell "HF016" "nobody to notify";
    StaleContact "HF017" "contact stale";
    Budget "HF018" "budget of disruptions exceeded";
    Deadline "HF019" "deadline cannot be met";
    Silence "HF020" "silence agrees too late";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
