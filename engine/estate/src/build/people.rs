//! Roles and staff, and the one list of everybody.

use super::{Builder, Seen};
use crate::at::At;
use crate::model::BUILT_IN_ROLES;
use crate::text;
use hostler_core::directory::Person;

impl Builder<'_> {
    pub(super) fn roles(&mut self) {
        for (role, purpose) in BUILT_IN_ROLES {
            self.estate
                .roles
                .insert(role.to_owned(), purpose.to_owned());
        }
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, purpose) in parsed.roles.iter() {
                self.id(file, id, "role", &mut seen);
                self.format(file, purpose, "the purpose of a role", text::line);
                self.estate
                    .roles
                    .insert(id.value.clone(), purpose.value.clone());
            }
        }
    }

    pub(super) fn staff(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.people.iter() {
                self.id(file, id, "person", &mut seen);
                self.format(file, &raw.name, "name", text::line);
                self.format(file, &raw.mail, "mail", text::mail);
                for role in &raw.roles {
                    if !self.estate.roles.contains_key(&role.value) {
                        self.out.unknown(
                            file,
                            role,
                            "role",
                            "roles",
                            self.estate.roles.keys().map(String::as_str),
                        );
                    }
                }
                let person = Person {
                    id: id.value.clone(),
                    name: raw.name.value.clone(),
                    mail: raw.mail.value.clone(),
                    roles: raw.roles.iter().map(|at| at.value.clone()).collect(),
                    customers: Vec::new(),
                };
                self.estate.people.insert(id.value.clone(), person);
            }
        }
    }

    /// Somebody of a customer. The same id elsewhere must be the same person: the same mail.
    pub(super) fn belongs(
        &mut self,
        file: usize,
        id: &At<String>,
        name: &str,
        mail: &At<String>,
        customer: &str,
    ) {
        let person = self
            .estate
            .people
            .entry(id.value.clone())
            .or_insert_with(|| Person {
                id: id.value.clone(),
                name: name.to_owned(),
                mail: mail.value.clone(),
                roles: Vec::new(),
                customers: Vec::new(),
            });
        if person.mail != mail.value {
            let message = format!(
                "person `{}` has another mail address elsewhere: {}",
                id.value, person.mail
            );
            self.out.add(
                file,
                mail.position,
                "HE011",
                message,
                "give different people different ids",
            );
            return;
        }
        if !person.customers.iter().any(|known| known == customer) {
            person.customers.push(customer.to_owned());
        }
    }
}
