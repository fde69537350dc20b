"""The words the model speaks: six labels and seven targets of hate, each with its definition."""

LABELS = ("hate", "provocation", "abusive", "suspect", "criticism", "counter_speech")
ACCUSING = ("hate", "provocation")
"""What may raise an alert by itself."""

PROTECTIVE = ("criticism", "counter_speech")
"""What holds alerts back."""

TARGETS = ("religion", "ethnicity", "group", "person", "gender", "body", "other")
SEVERITIES = ("weak", "moderate", "strong")
"""How strong the hate is to the labellers of the 12-label set; learnt for its published figure, decides nothing."""

HEADS = LABELS + TARGETS + SEVERITIES
"""What the network says of a text, in this order."""

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
    "suspect": (
        "The text states as fact something alarming or damaging with the marks of a hoax: no source that can be "
        "checked, a secret insider, pressure to pass it on; never alone an alert, and no judgement that it is false."
    ),
    "criticism": (
        "The text judges, questions, mocks or makes demands of an institution, an office, a candidate, a party or a "
        "policy, without denying anyone's humanity and without calling for violence."
    ),
    "counter_speech": (
        "The text answers hate, a hoax or a call to violence: it denies, corrects, defends those attacked or "
        "holds others back, also where it quotes what it refutes."
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
