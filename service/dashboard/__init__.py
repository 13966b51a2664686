"""The pages people look at: Vietnamese first, on the same application and the same functions as the API."""
