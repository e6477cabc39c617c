"""What the service answers, by topic. Each module offers `router`; app.py finds them all.

Nothing is answered without a token: of an operator, unless the module names other `SCOPES`; none of them () is the one
way to be open to everybody. The token's holder is `request.state.token`.
"""
