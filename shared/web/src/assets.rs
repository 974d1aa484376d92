//! The style, the script and the icon, built into the program.

use bytes::Bytes;

use crate::answer::Answer;

fn asset(media_type: &'static str, text: &'static str) -> Answer {
    Answer::File {
        media_type,
        name: None,
        body: Bytes::from_static(text.as_bytes()),
    }
}

pub(crate) fn style() -> Answer {
    asset("text/css; charset=utf-8", include_str!("../assets/app.css"))
}

pub(crate) fn script() -> Answer {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../assets/app.js"),
    )
}

pub(crate) fn icon() -> Answer {
    asset(
        "image/svg+xml; charset=utf-8",
        include_str!("../assets/favicon.svg"),
    )
}
