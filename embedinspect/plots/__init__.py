"""What pictures share, whoever draws them: colours, round scales, places for labels."""
