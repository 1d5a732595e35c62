"""What is not to be read into the Probe page."""

import streamlit as st


def limits() -> None:
    """docs/probe.md and docs/probe-audit.md say more."""
    with st.expander("What this cannot show", icon=":material/help:"):
        st.markdown(
            "- **How large an effect is for photographs.** Rendered skin is smoother than skin, hair is a cap, and a "
            "camera would raise the exposure for a dark face where these lamps stay as they are. Tones 9 and 10 are "
            "therefore very dark, and part of any difference there is exposure.\n"
            "- **How hard a face is to read for people.** The annotators are simulated: they see the rendered "
            "expression and not the image, so a face in profile or in the dark gets the same votes. A model that is "
            "rightly more doubtful there is not told apart from one that is unfair.\n"
            "- **Expressions as people show them.** They are recipes; nobody judged them, and sadness and contempt are "
            "the subtlest.\n"
            "- **Whole groups of people.** A tone is a colour painted on a head. Head shapes, hair and expressions do "
            "not follow it, as they may among people; that is what makes the comparison causal, and narrow.\n"
            "- **Much about other heads.** The test split has eight people. Intervals resample them whole, and eight "
            "are few."
        )
