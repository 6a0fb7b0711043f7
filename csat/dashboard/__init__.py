"""The dashboard: a Streamlit app on the marts."""
