"""Facts in, plan out. Findings are pure rules; nothing here can change anything, its ports have no verb for it."""
