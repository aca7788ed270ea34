"""`remediator doctor`: can what is configured work? Asks the live systems and changes nothing in any of them."""
