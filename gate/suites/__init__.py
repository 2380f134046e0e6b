"""What a user keeps: settings, suites of cases, and waivers, loaded and checked."""
