//! What a person sees.

use super::{
    Sandbox,
    world::{Message, View},
};

impl Sandbox {
    /// The messages this person sees in a conversation, ephemeral ones included, oldest first.
    pub fn messages(&self, user: &str, channel: &str) -> Vec<Message> {
        self.world(|world| {
            let Some(person) = world.person(user) else {
                return Vec::new();
            };
            let channel = world.channel_for(&person.id, channel);
            channel
                .filter(|channel| channel.members.contains(&person.id))
                .into_iter()
                .flat_map(|channel| &channel.messages)
                .filter(|message| message.visible_to(&person.id))
                .cloned()
                .collect()
        })
    }

    /// The Home tab as this person sees it.
    pub fn home(&self, user: &str) -> Option<View> {
        self.world(|world| world.home_of(&world.person(user)?.id).cloned())
    }

    /// The modals open for this person, the topmost last.
    pub fn modals(&self, user: &str) -> Vec<View> {
        self.world(|world| match world.person(user) {
            Some(person) => world.modals_of(&person.id).into_iter().cloned().collect(),
            None => Vec::new(),
        })
    }

    /// What the app wrote to this person since [`mark_read`](Self::mark_read), in all their
    /// conversations.
    pub fn unread(&self, user: &str) -> Vec<Message> {
        self.world(|world| {
            let Some(person) = world.person(user) else {
                return Vec::new();
            };
            let read = world.read_up_to.get(&person.id).map_or("", String::as_str);
            world
                .channels()
                .iter()
                .filter(|channel| channel.members.contains(&person.id))
                .flat_map(|channel| &channel.messages)
                .filter(|message| message.bot && message.visible_to(&person.id))
                .filter(|message| message.ts.as_str() > read)
                .cloned()
                .collect()
        })
    }

    /// Everything up to now is read.
    pub fn mark_read(&self, user: &str) {
        let now = self.slack.options.clock.now();
        self.change(|world| {
            let id = world.person(user).map(|person| person.id.clone());
            if let Some(id) = id {
                let ts = world.next_ts(now);
                world.read_up_to.insert(id, ts);
            }
        });
    }
}
