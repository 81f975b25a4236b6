"""A comparison that outlives its page: it goes on for a while, and the page that is loaded anew shows it again."""
