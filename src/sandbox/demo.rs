//! stub
use crate::clock::Clock;
/// stub
pub struct Demo;
impl Demo {
    /// stub
    pub async fn start(_: u16, _: Clock) -> std::io::Result<Self> {
        Ok(Self)
    }
    /// stub
    pub fn url(&self) -> String {
        String::new()
    }
    /// stub
    pub async fn shut_down(self) {}
}
