"""The requests that both servers are asked: cases of one or several, each in a namespace of its own."""
