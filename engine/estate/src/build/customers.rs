//! Customers and their people.

use super::{Builder, Seen};
use crate::at::At;
use crate::file::{RawContact, RawContract, RawCustomer};
use crate::model::{CONTACT_ROLES, Contract, Customer};
use crate::{text, when};
use hostler_core::directory::Contact;
use hostler_core::mail::ALTERNATE;

impl<'a> Builder<'a> {
    pub(super) fn customers(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.customers.iter() {
                if self.id(file, id, "customer", &mut seen) {
                    self.customer(file, id, raw);
                }
            }
        }
    }

    fn customer(&mut self, file: usize, id: &At<String>, raw: &'a RawCustomer) {
        self.format(file, &raw.name, "name", text::line);
        self.format_if(file, raw.zone.as_ref(), "zone", when::zone);
        if let Some(at) = &raw.calendar
            && !self.estate.calendars.contains_key(&at.value)
        {
            self.out.unknown(
                file,
                at,
                "calendar",
                "calendars",
                self.estate.calendars.keys().map(String::as_str),
            );
        }
        let mut seen = Seen::new();
        let people: Vec<Contact> = raw
            .people
            .iter()
            .map(|person| self.contact(file, person, &id.value, &mut seen))
            .collect();
        for (role, why) in [
            ("notices", "nobody could be told"),
            ("owner", "nobody could decide"),
        ] {
            if !people
                .iter()
                .any(|contact| contact.roles.iter().any(|held| held == role))
            {
                let message = format!(
                    "customer `{}` has nobody with the role `{role}`: {why}",
                    id.value
                );
                self.out.add(
                    file,
                    id.position,
                    "HE040",
                    message,
                    format!("give one of its people `roles: [{role}]`"),
                );
            }
        }
        let customer = Customer {
            id: id.value.clone(),
            name: raw.name.value.clone(),
            zone: raw.zone.as_ref().map(|at| at.value.clone()),
            calendar: raw.calendar.as_ref().map(|at| at.value.clone()),
            contract: raw
                .contract
                .as_ref()
                .map(|contract| self.agreed(file, contract)),
            people,
        };
        self.estate.customers.insert(id.value.clone(), customer);
    }

    fn contact(
        &mut self,
        file: usize,
        raw: &'a RawContact,
        customer: &str,
        seen: &mut Seen<'a>,
    ) -> Contact {
        self.id(file, &raw.id, "person", seen);
        self.format_if(file, raw.name.as_ref(), "name", text::line);
        self.format(file, &raw.mail, "mail", text::mail);
        self.format_if(file, raw.hook.as_ref(), "hook", text::mail);
        self.format_if(file, raw.phone.as_ref(), "phone", text::phone);
        self.format_if(file, raw.confirmed.as_ref(), "confirmed", when::date);
        for role in &raw.roles {
            self.choice(file, Some(role), "role", &CONTACT_ROLES);
        }
        self.stands_in_for_nobody(file, raw);
        let name = raw
            .name
            .as_ref()
            .map_or_else(|| raw.id.value.clone(), |at| at.value.clone());
        self.belongs(file, &raw.id, &name, &raw.mail, customer);
        Contact {
            person: raw.id.value.clone(),
            name,
            mail: raw.mail.value.clone(),
            hook: raw.hook.as_ref().map(|at| at.value.clone()),
            phone: raw.phone.as_ref().map(|at| at.value.clone()),
            roles: raw.roles.iter().map(|at| at.value.clone()).collect(),
            confirmed: raw.confirmed.as_ref().map(|at| at.value.clone()),
        }
    }

    /// Whoever is told first is nobody's alternate contact.
    fn stands_in_for_nobody(&mut self, file: usize, raw: &RawContact) {
        let held = |name: &str| raw.roles.iter().find(|role| role.value == name);
        if let (Some(role), Some(_)) = (held(ALTERNATE), held("notices")) {
            let message = format!(
                "`{}` has the role `notices`, and is told before any alternate contact",
                raw.id.value
            );
            let remedy = "keep one of the two: `alternate` is for somebody who is told when nobody with `notices` is reached";
            self.out.add(file, role.position, "HE040", message, remedy);
        }
    }

    fn agreed(&mut self, file: usize, raw: &RawContract) -> Contract {
        self.format(file, &raw.service, "service", text::id);
        self.format_if(file, raw.consent.as_ref(), "consent", when::consent);
        self.format_if(file, raw.deferrals.as_ref(), "deferrals", |text| {
            when::deferrals(text).map(|_| ())
        });
        self.format_if(file, raw.reboots.as_ref(), "reboots", |text| {
            when::reboots(text).map(|_| ())
        });
        Contract {
            service: raw.service.value.clone(),
            consent: raw
                .consent
                .as_ref()
                .map_or_else(|| "none".to_owned(), |at| at.value.clone()),
            deferrals: raw.deferrals.as_ref().map(|at| at.value.clone()),
            reboots: raw.reboots.as_ref().map(|at| at.value.clone()),
        }
    }
}
