//! In which ways somebody is told.
//!
//! Not here: how a message goes (the channels), and which address stands for a hook (the settings).

use serde::{Deserialize, Serialize};

/// A way in which a contact is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To the contact's `mail`. Everybody has it.
    #[default]
    Mail,
    /// To the contact's `hook`: an address for which a hook of the settings stands.
    Webhook,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::Mail, Self::Webhook];

    /// As runbooks write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    // serde hands over a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn is_mail(&self) -> bool {
        *self == Self::Mail
    }
}

#[cfg(test)]
mod tests {
    use super::Way;
    use crate::directory::Contact;

    fn contact(hook: Option<&str>) -> Contact {
        Contact {
            person: "ann".to_owned(),
            name: "Ann".to_owned(),
            mail: "ann@chem.example".to_owned(),
            hook: hook.map(str::to_owned),
            phone: None,
            roles: Vec::new(),
            confirmed: None,
        }
    }

    #[test]
    fn a_contact_is_told_in_the_ways_that_it_has_and_in_one_at_least() {
        let letter = (Way::Mail, "ann@chem.example");
        let room = (Way::Webhook, "room@chem.example");
        let (with, without) = (contact(Some("room@chem.example")), contact(None));
        assert_eq!(with.ways(&[]), [letter], "as before there were others");
        assert_eq!(with.ways(&Way::ALL), [letter, room]);
        assert_eq!(with.ways(&[Way::Webhook]), [room]);
        assert_eq!(without.ways(&Way::ALL), [letter]);
        assert_eq!(without.ways(&[Way::Webhook]), [letter]);
    }
}
