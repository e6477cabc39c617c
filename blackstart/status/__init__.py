"""How the whole fleet is, from what a vault was told and what it holds. Pure; looks at files only where it says so."""
