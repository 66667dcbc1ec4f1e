"""Operations that drain a real device for a moment: what they mean in QMP, on each target alike."""
