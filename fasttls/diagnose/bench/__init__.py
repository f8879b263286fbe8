"""`python -m fasttls bench`: what fasttls costs beside `ssl` and other libraries, measured in turns in one process."""
