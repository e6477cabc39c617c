"""If a node died now, would spec and vaults bring it back? Each question by itself, with its reason and remedy."""
