//! Members, invitations, and what people did.

use http::StatusCode;
use purser_core::settings::is_mail_address;

use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    input,
    people::{PEOPLE_MAX, Role},
    ports::LivePorts,
    session,
    view::{Activity, ActivityEvent, Done, FieldProblem, InvitationView, MemberView, People},
};

/// The events of one page.
const EVENTS_SHOWN: u32 = 100;

impl<P: LivePorts> Web<P> {
    async fn people_view(&self, call: &Call, seat: &Seat) -> Result<People, WebError> {
        let directory = self.directory(call.now);
        let mut members = Vec::new();
        for (person, member) in directory.members(&seat.tenant).await? {
            let known = directory.person(&person).await?;
            members.push(MemberView {
                email: known.as_ref().map_or_else(String::new, |p| p.email.clone()),
                name: known.and_then(|known| known.name),
                role: member.role.as_str().to_owned(),
                since: member.since,
                sessions: session::count(self.store(), &person, &seat.tenant, call.now).await?,
                is_you: person == seat.session.person,
                person,
            });
        }
        members.sort_by(|one, other| one.email.cmp(&other.email));
        let invitations = directory.invitations(&seat.tenant).await?;
        let mut invitations: Vec<_> = invitations
            .into_iter()
            .map(|(email, invitation, expires_at)| InvitationView {
                email,
                role: invitation.role.as_str().to_owned(),
                invited_by: invitation.invited_by,
                expires_at,
            })
            .collect();
        invitations.sort_by(|one, other| one.email.cmp(&other.email));
        Ok(People {
            members,
            invitations,
            problems: Vec::new(),
            tried: String::new(),
        })
    }

    pub(crate) async fn people(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let view = self.people_view(call, seat).await?;
        Ok(Answer::show(("People", "people"), view))
    }

    pub(crate) async fn invite(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::Invite = call.input()?;
        let email = input.email.trim().to_owned();
        let mut problems = Vec::new();
        let mut wrong = |field: &str, message: &str| {
            problems.push(FieldProblem {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        };
        if !is_mail_address(&email) {
            wrong(
                "email",
                "must be an e-mail address, such as dana@example.com",
            );
        }
        let role = Role::from_text(&input.role);
        if role.is_none() {
            wrong("role", "must be admin or viewer");
        }
        let mut view = self.people_view(call, seat).await?;
        if view.members.len() + view.invitations.len() >= PEOPLE_MAX as usize {
            wrong(
                "email",
                "there is no room for more people; remove somebody first",
            );
        }
        let (Some(role), true) = (role, problems.is_empty()) else {
            if call.wants_json {
                return Err(WebError::wrong(problems));
            }
            view.problems = problems;
            view.tried = email;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(Answer::show_as(status, ("People", "people"), view));
        };
        let directory = self.directory(call.now);
        let by = &seat.session.email;
        directory.invite(&seat.tenant, &email, role, by).await?;
        let text = format!("invited {email} as {}.", role.as_str());
        directory.note(&seat.tenant, by, "invited", text).await?;
        let done = Done {
            done: format!("{email} is invited as {}.", role.as_str()),
        };
        Ok(Answer::done(
            StatusCode::CREATED,
            &done,
            "/people?done=invited",
        ))
    }

    pub(crate) async fn withdraw(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::Withdraw = call.input()?;
        let directory = self.directory(call.now);
        if !directory.withdraw(&seat.tenant, input.email.trim()).await? {
            return Err(WebError::not_found());
        }
        let text = format!("withdrew the invitation of {}.", input.email.trim());
        directory
            .note(&seat.tenant, &seat.session.email, "withdrawn", text)
            .await?;
        let done = Done {
            done: "The invitation is withdrawn.".to_owned(),
        };
        Ok(Answer::done(
            StatusCode::OK,
            &done,
            "/people?done=withdrawn",
        ))
    }

    /// The member an address names; others do not exist for this company.
    async fn member(&self, call: &Call, seat: &Seat) -> Result<(String, String), WebError> {
        let person = call.parameter("person").to_owned();
        let directory = self.directory(call.now);
        let role = directory.role(&seat.tenant, &person).await?;
        role.ok_or_else(WebError::not_found)?;
        let known = directory.person(&person).await?;
        let email = known.map_or_else(|| person.clone(), |known| known.email);
        Ok((person, email))
    }

    pub(crate) async fn change_role(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::ChangeRole = call.input()?;
        let role = Role::from_text(&input.role)
            .ok_or_else(|| WebError::field("role", "must be admin or viewer"))?;
        let (person, email) = self.member(call, seat).await?;
        let directory = self.directory(call.now);
        let changed = directory.change_right(&seat.tenant, &person, Some(role));
        if !changed.await? {
            return Err(WebError::last_admin());
        }
        let text = format!("made {email} {}.", role.as_str());
        directory
            .note(&seat.tenant, &seat.session.email, "role_changed", text)
            .await?;
        let done = Done {
            done: format!("{email} is {} now.", role.as_str()),
        };
        Ok(Answer::done(StatusCode::OK, &done, "/people?done=role"))
    }

    pub(crate) async fn remove_member(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let (person, email) = self.member(call, seat).await?;
        let directory = self.directory(call.now);
        let removed = directory.change_right(&seat.tenant, &person, None);
        if !removed.await? {
            return Err(WebError::last_admin());
        }
        directory
            .note(
                &seat.tenant,
                &seat.session.email,
                "member_removed",
                format!("removed {email}."),
            )
            .await?;
        let done = Done {
            done: format!("{email} is removed."),
        };
        Ok(Answer::done(StatusCode::OK, &done, "/people?done=removed"))
    }

    pub(crate) async fn end_sessions_of(
        &self,
        call: &Call,
        seat: &Seat,
    ) -> Result<Answer, WebError> {
        let (person, email) = self.member(call, seat).await?;
        let ended = session::end_all(self.store(), &person, Some(&seat.tenant), call.now).await?;
        let text = format!("ended {ended} sessions of {email} at this company.");
        self.directory(call.now)
            .note(&seat.tenant, &seat.session.email, "sessions_ended", text)
            .await?;
        let done = Done {
            done: format!("{ended} sessions of {email} at this company are ended."),
        };
        Ok(Answer::done(StatusCode::OK, &done, "/people?done=ended"))
    }

    pub(crate) async fn activity(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let directory = self.directory(call.now);
        let after = call.query.get("after");
        let events = directory.events_after(&seat.tenant, after, EVENTS_SHOWN + 1);
        let mut events = events.await?;
        let has_more = events.len() > EVENTS_SHOWN as usize;
        events.truncate(EVENTS_SHOWN as usize);
        let last = events.last().map(|(name, _)| name.clone());
        let events = events.into_iter().map(|(_, event)| ActivityEvent {
            at: event.at,
            who: event.who,
            what: event.what,
            text: event.text,
        });
        let view = Activity {
            events: events.collect(),
            next: last.filter(|_| has_more),
        };
        Ok(Answer::show(("Activity", "activity"), view))
    }
}
