"""The words the model speaks: three labels and seven targets of hate, each with its definition."""

LABELS = ("hate", "provocation", "abusive")
TARGETS = ("religion", "ethnicity", "group", "person", "gender", "body", "other")
DECISIONS = ("yes", "no", "unsure")

LABEL_DEFINITIONS: dict[str, str] = {
    "hate": (
        "The text attacks, dehumanises or debases people for who they are or what they belong to; criticism "
        "of a candidate, a party, an office or a policy is not hate, however sharp."
    ),
    "provocation": (
        "The text calls for violence or destruction, for disrupting the vote or for breaking into places; a "
        "call for a peaceful protest, a slogan, a metaphor or a report about violence is not provocation."
    ),
    "abusive": (
        "The text holds coarse or insulting words, whether or not they are aimed at anyone; context only, "
        "never an alert."
    ),
}

TARGET_DEFINITIONS: dict[str, str] = {
    "religion": "Hate for a religion, a school of belief or having none.",
    "ethnicity": "Hate for an ethnicity, descent or skin colour.",
    "group": "Hate aimed at many people at once: a community, an organisation, the followers of someone.",
    "person": "Hate aimed at one person.",
    "gender": "Hate for gender or sexual orientation.",
    "body": "Hate for a body's look, an illness or a disability.",
    "other": "Hate on another ground, as a mere insult.",
}
